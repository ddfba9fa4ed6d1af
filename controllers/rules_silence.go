package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/source"
	"github.com/experience-slo/operator/internal/status"
)

// askedAtOnce is how many rule groups a ruler is asked about in a minute: with
// thousands that it has not loaded, a few tell what is wrong with all.
const askedAtOnce = 5

// silence is rules that are installed and of which nothing was recorded for a
// while.
type silence struct {
	key   types.NamespacedName
	state rulesState
	asked time.Time
	// before is what was last found.
	before metav1.Condition
}

// testimony is what others say of silent rules.
type testimony struct {
	// groups are those that the ruler has loaded, and err is why it did not say.
	groups []source.RuleGroupHealth
	err    error
	// rejected is why the Prometheus operator did not take them, empty where it
	// did or does not say.
	rejected string
}

// askAll asks the rulers of silent rules, each about a few: those that it was not
// asked about for the longest time.
func (r *rulesRounds) askAll(ctx context.Context, all map[compile.SourceKey][]silence) {
	for key, some := range all {
		slices.SortFunc(some, func(a, b silence) int { return a.asked.Compare(b.asked) })
		var chosen []silence
		if live := r.evaluator.sources.Get(key); live != nil && r.board.mayAsk(key) {
			chosen = some[:min(askedAtOnce, len(some))]
			r.board.asking(key, chosen)
			r.tasks.Go(func() { r.ask(ctx, live, chosen) })
		}
		for _, s := range some[len(chosen):] {
			if s.before.Type == "" || s.before.Status == metav1.ConditionTrue {
				r.board.find(ctx, s.key, status.RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, silentText))
			}
		}
	}
}

const silentText = "the ruler has recorded nothing of the objective for some minutes"

func (r *rulesRounds) ask(ctx context.Context, live *Live, some []silence) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(live.ctx, cancel)()
	var names []string
	for _, s := range some {
		names = append(names, s.state.Group)
	}
	groups, err := live.Client.Rules(ctx, names)
	if ctx.Err() != nil {
		return
	}
	for _, s := range some {
		r.board.find(ctx, s.key, s.explain(testimony{groups: groups, err: err, rejected: r.rejection(ctx, s)}))
	}
}

// rejection reads why the Prometheus operator refuses a PrometheusRule. Its
// status has that where the operator is new enough and was told to write it.
func (r *rulesRounds) rejection(ctx context.Context, s silence) string {
	if s.state.Output != v1alpha1.RulesOutputPrometheusRule {
		return ""
	}
	found := &monitoringv1.PrometheusRule{}
	if err := r.live.Get(ctx, s.key, found); client.IgnoreNotFound(err) != nil || err != nil {
		return "" // it is not known to be rejected
	}
	for _, binding := range found.Status.Bindings {
		for _, c := range binding.Conditions {
			if c.Type == monitoringv1.Accepted && c.Status == monitoringv1.ConditionFalse {
				return fmt.Sprintf("%s %s/%s does not accept PrometheusRule %s: %s", binding.Resource, binding.Namespace, binding.Name, s.key, c.Message)
			}
		}
	}
	return ""
}

// explain judges why nothing is recorded.
func (s silence) explain(t testimony) metav1.Condition {
	if t.rejected != "" {
		return status.RulesNotLoaded(v1alpha1.ReasonRulesRejected, t.rejected)
	}
	if t.err != nil {
		return s.unanswered(t.err)
	}
	at := slices.IndexFunc(t.groups, func(g source.RuleGroupHealth) bool { return g.Name == s.state.Group })
	if at < 0 {
		return status.RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, fmt.Sprintf("the ruler has no rule group %q: %s", s.state.Group, s.state.Hint))
	}
	for _, rule := range t.groups[at].Rules {
		if rule.LastError != "" {
			return status.RulesNotLoaded(v1alpha1.ReasonRuleFailing, fmt.Sprintf("rule %q of group %q fails: %s", rule.Name, s.state.Group, rule.LastError))
		}
	}
	// A group that was loaded just now is not to blame: only when it is asked
	// again, a minute later, is something else wrong.
	loaded := status.RulesPending(fmt.Sprintf("the ruler has loaded rule group %q and not recorded the objective yet", s.state.Group))
	elsewhere := status.RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, fmt.Sprintf(
		"the ruler evaluates rule group %q, but its records cannot be read from the source: check that spec.url and spec.matchers of %s lead to where it writes them", s.state.Group, s.state.Source))
	if s.before == loaded || s.before == elsewhere {
		return elsewhere
	}
	return loaded
}

// unanswered is what is known when the ruler was asked in vain. Not every server
// that answers queries has rules to tell of.
func (s silence) unanswered(err error) metav1.Condition {
	switch source.ReasonOf(err) {
	case source.ReasonNotPrometheus, source.ReasonInvalidQuery, source.ReasonTooLarge, source.ReasonUnauthorized:
		return status.RulesNotLoaded(v1alpha1.ReasonRulesNotLoaded, silentText+", and the source does not tell of its rules: "+s.state.Hint)
	default:
		return status.RulesUnseen(err.Error())
	}
}
