package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

// operatorNamespace is where the operator is installed as shipped.
const operatorNamespace = "experience-slo-system"

// shelf is the objectives whose rules share ConfigMaps: those of one namespace
// with the same source.
type shelf struct {
	source    compile.SourceKey
	namespace string
}

func configMaps(all []rendered) ([]*corev1.ConfigMap, error) {
	files, specs := map[shelf]map[string]string{}, map[shelf]*v1alpha1.MetricSourceSpec{}
	for _, r := range all {
		at := shelf{r.plan.Source, r.plan.Key.Namespace}
		text, err := rules.File(r.groups)
		if err != nil {
			return nil, err
		}
		if files[at] == nil {
			files[at], specs[at] = map[string]string{}, r.source
		}
		files[at][r.plan.Key.Namespace+"."+r.plan.Key.Name+".yaml"] = string(text)
	}
	var out []*corev1.ConfigMap
	for _, at := range slices.SortedFunc(maps.Keys(files), shelf.compare) {
		for _, shard := range rules.Shards(at.prefix(), files[at]) {
			out = append(out, at.configMap(shard, specs[at]))
		}
	}
	return out, nil
}

func (s shelf) compare(other shelf) int {
	return cmp.Or(strings.Compare(s.namespace, other.namespace), strings.Compare(s.source.String(), other.source.String()))
}

// prefix begins the names of the shelf's ConfigMaps. They are those that the
// operator would choose: were it told to write them too, it would find the name
// taken and say so, and no rule would be evaluated twice.
func (s shelf) prefix() string {
	kind := "experience-rules."
	if s.source.Kind == v1alpha1.SourceKindClusterMetricSource {
		kind = "experience-cluster-rules."
	}
	return kind + bounded(s.source.Name) + "." + s.namespace
}

// longestName leaves room in the name of a ConfigMap for what is around it.
const longestName = 150

// bounded shortens a name that is too long, to one that no other name has.
func bounded(name string) string {
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	digest := hex.EncodeToString(sum[:8])
	return name[:longestName-len(digest)-1] + "-" + digest
}

func (s shelf) configMap(shard rules.Shard, from *v1alpha1.MetricSourceSpec) *corev1.ConfigMap {
	labels := rules.SettingsOf(from).ObjectLabels
	labels[rules.ManagedBy] = manager
	return &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Name: shard.Name, Labels: labels,
			Namespace: cmp.Or(s.source.Namespace, string(from.Rules.Namespace), operatorNamespace),
		},
		Data: shard.Data,
	}
}
