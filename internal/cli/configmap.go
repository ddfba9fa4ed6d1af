package cli

import (
	"cmp"
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

// shelf is the objectives and journeys whose rules share ConfigMaps: those of one
// namespace with the same source.
type shelf struct {
	source    compile.SourceKey
	namespace string
}

func configMaps(all []rendered) ([]*corev1.ConfigMap, error) {
	files, specs := map[shelf]map[string]string{}, map[shelf]*v1alpha1.MetricSourceSpec{}
	for _, r := range all {
		at, name := r.file()
		text, err := rules.File(r.groups)
		if err != nil {
			return nil, err
		}
		if files[at] == nil {
			files[at], specs[at] = map[string]string{}, r.source
		}
		files[at][name] = string(text)
	}
	var out []*corev1.ConfigMap
	for _, at := range slices.SortedFunc(maps.Keys(files), shelf.compare) {
		// The names are those that the operator would choose: were it told to write
		// them too, it would find them taken and say so, and no rule would be
		// evaluated twice.
		for _, shard := range rules.Shards(rules.ConfigMapPrefix(at.source, at.namespace), files[at]) {
			out = append(out, at.configMap(shard, specs[at]))
		}
	}
	return out, nil
}

func (s shelf) compare(other shelf) int {
	return cmp.Or(strings.Compare(s.namespace, other.namespace), strings.Compare(s.source.String(), other.source.String()))
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
