package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"go.yaml.in/yaml/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// The label by which everything that holds rules is found again.
const (
	ManagedBy = "app.kubernetes.io/managed-by"
	Manager   = "experience-slo"
)

// File writes groups as a rule file.
func File(groups []monitoringv1.RuleGroup) ([]byte, error) {
	var out bytes.Buffer
	if len(groups) == 0 {
		return []byte("{}\n"), nil
	}
	out.WriteString("groups:\n")
	for i := range groups {
		// One at a time: a file of thousands would be in memory several times.
		text, err := marshal(groups[i : i+1])
		if err != nil {
			return nil, fmt.Errorf("write rule file: %w", err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// marshal writes what sigs.k8s.io/yaml does, in half the time: that parses JSON
// as YAML.
func marshal(groups []monitoringv1.RuleGroup) ([]byte, error) {
	text, err := json.Marshal(groups)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	return yaml.Marshal(plain)
}

// PrometheusRule holds the groups of an objective, which owns it.
func PrometheusRule(p *compile.Plan, s Settings, groups []monitoringv1.RuleGroup) *monitoringv1.PrometheusRule {
	labels := map[string]string{}
	maps.Copy(labels, s.ObjectLabels)
	labels[ManagedBy] = Manager
	controls := true
	return &monitoringv1.PrometheusRule{
		TypeMeta: metav1.TypeMeta{APIVersion: monitoringv1.SchemeGroupVersion.String(), Kind: monitoringv1.PrometheusRuleKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Key.Namespace, Name: p.Key.Name, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "Objective", Name: p.Key.Name, UID: p.UID, Controller: &controls,
			}},
		},
		Spec: monitoringv1.PrometheusRuleSpec{Groups: groups},
	}
}

// maxShard is the most bytes that a shard holds: an object of Kubernetes holds
// a mebibyte, with its metadata.
const maxShard = 900 << 10

// Shard is the content of one ConfigMap.
type Shard struct {
	Name string
	// Data is files by name.
	Data map[string]string
}

// Shards spreads files over as few shards as a power of two allows, prefix-0
// and on, by their names alone: a file that comes or goes changes one shard,
// until there must be twice as many. One file that is larger than a shard may
// be is in a shard of its own size.
func Shards(prefix string, files map[string]string) []Shard {
	for count := uint64(1); ; count *= 2 {
		shards, fit := spread(files, count)
		if !fit {
			continue
		}
		var out []Shard
		for i, data := range shards {
			if len(data) > 0 {
				out = append(out, Shard{Name: fmt.Sprintf("%s-%d", prefix, i), Data: data})
			}
		}
		return out
	}
}

// spread says whether each shard that holds several files is small enough.
func spread(files map[string]string, count uint64) ([]map[string]string, bool) {
	shards, sizes := make([]map[string]string, count), make([]int, count)
	for name, text := range files {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(name)) // it never fails
		at := hash.Sum64() % count
		if shards[at] == nil {
			shards[at] = map[string]string{}
		}
		shards[at][name] = text
		sizes[at] += len(name) + len(text)
		if sizes[at] > maxShard && len(shards[at]) > 1 {
			return nil, false
		}
	}
	return shards, true
}
