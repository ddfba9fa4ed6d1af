package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/slo"
)

// standings is how the promises of a cluster stand.
type standings struct {
	objectives []v1alpha1.Objective
	journeys   []v1alpha1.Journey
	gates      []v1alpha1.Gate
	options    statusOptions
	painter    painter
	now        time.Time
}

// write gives them in one of statusOutputs.
func (s standings) write() ([]byte, error) {
	switch s.options.output {
	case outputJSON, outputYAML:
		return s.objects()
	case outputName:
		var out strings.Builder
		for _, o := range s.objectives {
			fmt.Fprintf(&out, "objective.%s/%s\n", v1alpha1.GroupVersion.Group, o.Name)
		}
		return []byte(out.String()), nil
	case outputReport:
		return []byte(newReport(s).markdown()), nil
	default:
		return []byte(s.tables()), nil
	}
}

// objects are what kubectl prints: one where one is named, a list otherwise.
func (s standings) objects() ([]byte, error) {
	var all []*v1alpha1.Objective
	for i := range s.objectives {
		s.objectives[i].ManagedFields = nil
		all = append(all, &s.objectives[i])
	}
	var value any = listOf(all)
	if s.options.name != "" {
		value = all[0]
	}
	return encode(s.options.output, value)
}

// tables are the objectives and, behind them, the journeys and the gates that
// somebody waits for or should look at.
func (s standings) tables() string {
	var out string
	if len(s.objectives) > 0 {
		if s.painter.bars && !s.painter.fits(widths(s.rows())) {
			s.painter.bars = false // words say more
		}
		out = s.painter.table(s.rows())
	}
	if len(s.journeys) > 0 {
		out = apart(out) + s.painter.table(s.journeyRows(s.sortedJourneys()))
	}
	if urgent := s.urgentGates(); len(urgent) > 0 {
		out = apart(out) + s.painter.table(s.gateRows(urgent))
	}
	return out
}

// rows are the names of the columns and the objectives.
func (s standings) rows() [][]cell {
	out := [][]cell{s.head()}
	for i := range s.objectives {
		out = append(out, s.row(&s.objectives[i]))
	}
	return out
}

func (s standings) head() []cell {
	out := cells("NAME", "SERVICE", "PERSPECTIVE", "TARGET", "CURRENT", "BUDGET", "LASTS", "MET")
	if s.options.everywhere {
		out = append(cells("NAMESPACE"), out...)
	}
	if s.options.output == outputWide {
		out = append(out, cells("TOUCHPOINT", "EVENTS", "EXCLUDED", "COVERAGE", "BAND", "BURN", "AGE", "WHY")...)
	}
	return out
}

func (s standings) row(o *v1alpha1.Objective) []cell {
	standing := standing(o)
	paint := map[promise]colour{promiseBroken: red, promiseUnknown: yellow, promiseKept: green}[standing]
	out := cells(o.Name, string(o.Spec.Service), string(o.Spec.Perspective), string(o.Spec.Target), o.Status.Attainment)
	out = append(out, cell{s.budget(o), paint}, cell{text: s.lasts(o)}, cell{standing.word(), paint})
	if s.options.everywhere {
		out = append(cells(o.Namespace), out...)
	}
	if s.options.output == outputWide {
		out = append(out, cells(string(o.Spec.Touchpoint), count(o.Status.Events), o.Status.Excluded, o.Status.Coverage, string(o.Status.Band),
			burn(o), s.age(o.CreationTimestamp), why(o))...)
	}
	return out
}

// budget is how much is left, with a bar where there is a terminal.
func (s standings) budget(o *v1alpha1.Objective) string {
	text := o.Status.BudgetRemaining
	share, ok := shareOf(text)
	if !s.painter.bars || !ok {
		return text
	}
	return bar(share) + " " + text
}

// lasts is for how long the budget lasts at the present pace; it is empty where it
// lasts for the whole window, or nobody knows.
func (s standings) lasts(o *v1alpha1.Objective) string {
	if o.Status.ExhaustsAt == nil || budgetOf(o) <= 0 {
		return ""
	}
	return shortly(o.Status.ExhaustsAt.Sub(s.now))
}

func (s standings) age(since metav1.Time) string {
	if since.IsZero() {
		return ""
	}
	return shortly(s.now.Sub(since.Time))
}

// shortly writes a length of time in its largest unit, as kubectl writes ages.
func shortly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return slo.FormatDuration(max(d, 0).Truncate(time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

func count(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// burn is the fastest burn rate of all that are watched.
func burn(o *v1alpha1.Objective) string {
	if len(o.Status.BurnRates) == 0 {
		return ""
	}
	fastest := slices.MaxFunc(o.Status.BurnRates, func(a, b v1alpha1.BurnRate) int {
		return cmp.Compare(rateOf(a), rateOf(b))
	})
	return fastest.Rate + "x/" + fastest.Window
}

func rateOf(b v1alpha1.BurnRate) float64 {
	rate, err := strconv.ParseFloat(b.Rate, 64)
	if err != nil {
		return 0
	}
	return rate
}

// why is the reason of a promise that is not kept, with the worst of the segments
// that it is not kept to; it is empty for others.
func why(o *v1alpha1.Objective) string {
	met := metCondition(o)
	switch {
	case met == nil:
		return v1alpha1.ReasonEvaluationPending
	case met.Status == metav1.ConditionTrue:
		return ""
	case len(missedSegments(o)) > 0:
		return met.Reason + ": " + missedSegments(o)[0]
	default:
		return met.Reason
	}
}

// urgentGates are those that are baking, and those that need a person; the latter
// first.
func (s standings) urgentGates() []v1alpha1.Gate {
	out := slices.DeleteFunc(slices.Clone(s.gates), func(g v1alpha1.Gate) bool {
		return g.Status.Verdict != v1alpha1.GateBaking && !stalled(&g)
	})
	slices.SortStableFunc(out, func(a, b v1alpha1.Gate) int {
		switch {
		case stalled(&a) == stalled(&b):
			return 0
		case stalled(&a):
			return -1
		default:
			return 1
		}
	})
	return out
}

func stalled(g *v1alpha1.Gate) bool {
	return meta.IsStatusConditionTrue(g.Status.Conditions, v1alpha1.ConditionStalled)
}

func (s standings) gateRows(gates []v1alpha1.Gate) [][]cell {
	out := [][]cell{cells("GATE", "REVISION", "VERDICT", "SINCE", "WHY")}
	for i := range gates {
		g := &gates[i]
		verdict, paint, since := string(g.Status.Verdict), yellow, ""
		if stalled(g) {
			paint = red
		}
		if g.Status.StartedAt != nil {
			since = s.age(*g.Status.StartedAt)
		}
		message := ""
		if ready := meta.FindStatusCondition(g.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			verdict, message = cmp.Or(verdict, ready.Reason), ready.Message
		}
		row := []cell{{text: g.Name}, {text: string(g.Status.Revision)}, {verdict, paint}, {text: since}, {text: message}}
		if s.options.everywhere {
			row = append(cells(g.Namespace), row...)
		}
		out = append(out, row)
	}
	if s.options.everywhere {
		out[0] = append(cells("NAMESPACE"), out[0]...)
	}
	return out
}
