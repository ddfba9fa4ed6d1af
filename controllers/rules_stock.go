package controllers

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

// book is one objective on a shelf, or one journey.
type book struct {
	key types.NamespacedName
	// file is the name of its rule file.
	file  string
	wish  wish
	state rulesState
	// render makes the rules; it is nil where they cannot be made now.
	render func() ([]monitoringv1.RuleGroup, error)
	// told takes what became of the rules.
	told func(ctx context.Context, key types.NamespacedName, state rulesState)
	// group is the name of the rule group that records the deltas.
	group string
	sum   [sha256.Size]byte
}

// edition is what the rules of an objective were when they were last written.
type edition struct {
	stamp stamp
	group string
	sum   [sha256.Size]byte
}

// stocked is what is known of a shelf whose ConfigMaps are as they shall be.
type stocked struct {
	place    string
	versions map[string]string
	// editions are by file.
	editions map[string]edition
}

// ruleStock remembers what was written, so that a look at a shelf on which
// nothing changed renders no rule and reads no file.
type ruleStock struct {
	mu    sync.Mutex
	shelf map[shelf]*stocked
}

func newRuleStock() *ruleStock { return &ruleStock{shelf: map[shelf]*stocked{}} }

// isCurrent says whether neither the objectives nor their ConfigMaps changed. It
// gives the objectives the state that they had.
func (r *ruleStock) isCurrent(s shelf, place string, versions map[string]string, books []*book) bool {
	known := r.of(s)
	if known == nil || known.place != place || len(known.editions) != len(books) || !maps.Equal(known.versions, versions) {
		return false
	}
	for _, b := range books {
		if e, ok := known.editions[b.file]; !ok || e.stamp != b.wish.stamp || b.render == nil {
			return false
		}
	}
	return true
}

func (r *ruleStock) of(s shelf) *stocked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shelf[s]
}

// render gives the rule files of a shelf. A file that is there is taken as it is
// when its objective did not change, and when rules cannot be made now.
func (r *ruleStock) render(s shelf, books []*book, there map[string]string) map[string]string {
	known := r.of(s)
	out := map[string]string{}
	for _, b := range books {
		text, ok := there[b.file]
		if ok && known != nil && b.isOf(known.editions[b.file], text) {
			out[b.file] = text
			continue
		}
		if fresh := b.print(); fresh != "" {
			text, ok = fresh, true
		}
		if ok {
			out[b.file] = text
		}
	}
	return out
}

// isOf takes over an edition when a text is the one that it was written as.
func (b *book) isOf(e edition, text string) bool {
	if b.render == nil || e.stamp != b.wish.stamp || e.sum != sha256.Sum256([]byte(text)) {
		return false
	}
	b.group, b.sum = e.group, e.sum
	return true
}

// print renders the rule file; it is empty where that cannot be done.
func (b *book) print() string {
	if b.render == nil {
		return ""
	}
	groups, err := b.render()
	if err != nil {
		b.state = b.state.failed(v1alpha1.ReasonRulesRejected, "%v", err)
		return ""
	}
	text, err := rules.File(groups)
	if err != nil {
		b.state = b.state.failed(v1alpha1.ReasonRulesRejected, "%v", err)
		return ""
	}
	b.group, b.sum = groups[0].Name, sha256.Sum256(text)
	return string(text)
}

// keep remembers a shelf that was written. One of whose objectives an error was
// said is looked at in full again.
func (r *ruleStock) keep(s shelf, place string, versions map[string]string, books []*book) {
	known := &stocked{place: place, versions: versions, editions: map[string]edition{}}
	for _, b := range books {
		if b.state.State == rulesApplied {
			known.editions[b.file] = edition{stamp: b.wish.stamp, group: b.group, sum: b.sum}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelf[s] = known
}

func (r *ruleStock) forget(s shelf) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.shelf, s)
}
