package rules

import (
	"bytes"
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
		text, err := marshal(groups[i])
		if err != nil {
			return nil, fmt.Errorf("write rule file: %w", err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// yamlGroup is a group as YAML, with its fields in the order of the alphabet, as
// everything else that is YAML here. monitoringv1 has names for JSON alone, and
// the way over JSON took as long as writing.
type yamlGroup struct {
	Interval        *monitoringv1.Duration `yaml:"interval,omitempty"`
	Labels          map[string]string      `yaml:"labels,omitempty"`
	Limit           *int                   `yaml:"limit,omitempty"`
	Name            string                 `yaml:"name"`
	PartialResponse string                 `yaml:"partial_response_strategy,omitempty"`
	QueryOffset     *monitoringv1.Duration `yaml:"query_offset,omitempty"`
	Rules           []yamlRule             `yaml:"rules,omitempty"`
}

type yamlRule struct {
	Alert         string                         `yaml:"alert,omitempty"`
	Annotations   map[string]string              `yaml:"annotations,omitempty"`
	Expr          string                         `yaml:"expr"`
	For           *monitoringv1.Duration         `yaml:"for,omitempty"`
	KeepFiringFor *monitoringv1.NonEmptyDuration `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string              `yaml:"labels,omitempty"`
	Record        string                         `yaml:"record,omitempty"`
}

func marshal(g monitoringv1.RuleGroup) ([]byte, error) {
	out := yamlGroup{
		Interval: g.Interval, Labels: g.Labels, Limit: g.Limit, Name: g.Name,
		PartialResponse: g.PartialResponseStrategy, QueryOffset: g.QueryOffset,
	}
	for _, r := range g.Rules {
		out.Rules = append(out.Rules, yamlRule{
			Alert: r.Alert, Annotations: r.Annotations, Expr: r.Expr.String(), For: r.For,
			KeepFiringFor: r.KeepFiringFor, Labels: r.Labels, Record: r.Record,
		})
	}
	return yaml.Marshal([]yamlGroup{out})
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
