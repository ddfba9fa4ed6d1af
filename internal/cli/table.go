package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// What evaluate prints.
const (
	outputTable = "table"
	outputJSON  = "json"
	outputYAML  = "yaml"
)

var evaluateOutputs = []string{outputTable, outputJSON, outputYAML}

// columns are those that kubectl shows of objectives, but for their age.
var columns = []string{"NAMESPACE", "NAME", "SERVICE", "PERSPECTIVE", "TARGET", "CURRENT", "BUDGET", "MET", "READY"}

func tabulate(output string, results []result, journeys []*v1alpha1.Journey) ([]byte, error) {
	if output == outputTable && len(journeys) == 0 {
		return table(results), nil
	}
	if output == outputTable {
		return slices.Concat(table(results), []byte("\n"), tabulateJourneys(journeys)), nil
	}
	all := []any{}
	for _, r := range results {
		all = append(all, r.Objective)
	}
	for _, j := range journeys {
		all = append(all, j)
	}
	return encode(output, mixedList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: all})
}

// encode writes an object as kubectl does.
func encode(output string, value any) ([]byte, error) {
	if output == outputYAML {
		text, err := yaml.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("write objects: %w", err)
		}
		return text, nil
	}
	text, err := json.MarshalIndent(value, "", "    ")
	if err != nil {
		return nil, fmt.Errorf("write objects: %w", err)
	}
	return append(text, '\n'), nil
}

// list is what kubectl get prints of several objects.
type list struct {
	metav1.TypeMeta `json:",inline"`
	Items           []*v1alpha1.Objective `json:"items"`
}

// mixedList is a list of objects of several kinds.
type mixedList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []any `json:"items"`
}

func listOf(all []*v1alpha1.Objective) list {
	return list{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: append([]*v1alpha1.Objective{}, all...)}
}

func table(results []result) []byte {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	row(w, columns)
	for _, r := range results {
		row(w, []string{
			r.Namespace, r.Name, string(r.Spec.Service), string(r.Spec.Perspective), string(r.Spec.Target),
			r.Status.Attainment, r.Status.BudgetRemaining,
			conditionOf(r, v1alpha1.ConditionMet), conditionOf(r, v1alpha1.ConditionReady),
		})
	}
	_ = w.Flush() // a buffer takes everything
	return out.Bytes()
}

func row(w *tabwriter.Writer, cells []string) {
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func conditionOf(r result, kind string) string {
	if c := meta.FindStatusCondition(r.Status.Conditions, kind); c != nil {
		return string(c.Status)
	}
	return ""
}
