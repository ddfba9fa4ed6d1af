package rules_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/rules"
)

func TestNames(t *testing.T) {
	long, namespace := strings.Repeat("x", 253), strings.Repeat("n", 63)
	type args struct {
		source    compile.SourceKey
		objective types.NamespacedName
	}
	cases := map[string]struct {
		reason string
		args   args
		// want is the prefix of ConfigMaps and the name of a file.
		want [2]string
	}{
		"Local": {
			reason: "a source of a namespace",
			args:   args{compile.SourceKey{Kind: v1alpha1.SourceKindMetricSource, Namespace: "shop", Name: "team"}, types.NamespacedName{Namespace: "shop", Name: "page-speed"}},
			want:   [2]string{"experience-rules.team.shop", "shop.page-speed.yaml"},
		},
		"Shared": {
			reason: "one of the cluster may have the same name",
			args:   args{compile.SourceKey{Kind: v1alpha1.SourceKindClusterMetricSource, Name: "team"}, types.NamespacedName{Namespace: "shop", Name: "page.speed"}},
			want:   [2]string{"experience-cluster-rules.team.shop", "shop.page.speed.yaml"},
		},
		"Long": {
			reason: "names that are too long are cut",
			args:   args{compile.SourceKey{Kind: v1alpha1.SourceKindClusterMetricSource, Name: long}, types.NamespacedName{Namespace: namespace, Name: long}},
			want: [2]string{
				"experience-cluster-rules." + long[:133] + "-1329e1bd71a6a7b2." + namespace,
				namespace + "." + long[:163] + "-1329e1bd71a6a7b2.yaml",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := [2]string{rules.ConfigMapPrefix(tc.args.source, tc.args.objective.Namespace), rules.FileName(tc.args.objective)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			faults := append(validation.IsDNS1123Subdomain(got[0]+"-1023"), validation.IsConfigMapKey(got[1])...)
			if len(faults) > 0 {
				t.Errorf("%s: Kubernetes refuses them: %v", tc.reason, faults)
			}
		})
	}
}

func TestBounded(t *testing.T) {
	long := strings.Repeat("x", 63)
	if got := rules.Bounded(long, 63); got != long {
		t.Errorf("a name that fits is left alone, not %q", got)
	}
	a, b := rules.Bounded(long+"a", 63), rules.Bounded(long+"b", 63)
	if a == b || len(a) != 63 || len(b) != 63 {
		t.Errorf("two names must differ within 63 characters: %q, %q", a, b)
	}
}
