package evaluate

import (
	"fmt"
	"time"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/slo"
)

// leastCovered is the least share of a release's minutes that must have data, and
// longestGap how much of their end may have none. A counter that is scraped has data
// in each minute, events or not.
const (
	leastCovered = 0.5
	longestGap   = 5 * time.Minute
)

// tooLittle remarks that too little was seen of the release to pass it.
func (c *gateCheck) tooLittle(m *GateMember) *remark {
	switch r := c.unseen(m); {
	case r != nil:
		return r
	case m.Release.Sums.Events >= c.minimum:
		return nil
	case m.Trouble != "":
		return unknown(v1alpha1.ReasonNotMeasured, m.Trouble)
	default:
		return unknown(v1alpha1.ReasonTooFewEvents, fmt.Sprintf("fewer events since the check began than bake.minimumEvents, which is %.0f", c.minimum))
	}
}

// unseen remarks that the release was not watched for long enough, or not with open
// eyes, however many events there were.
func (c *gateCheck) unseen(m *GateMember) *remark {
	early, uncounted, gaps := c.early(m), c.uncounted(m), gappy(m)
	switch {
	case !early && uncounted == "" && gaps == "":
		return nil
	case m.Trouble != "":
		return unknown(v1alpha1.ReasonNotMeasured, m.Trouble)
	case early:
		return unknown(v1alpha1.ReasonBaking, "bake.duration is not over yet")
	case uncounted != "":
		return unknown(v1alpha1.ReasonNotMeasured, uncounted)
	default:
		return unknown(v1alpha1.ReasonNotMeasured, gaps)
	}
}

// early says whether the bake is not over even by the clock on the wall.
func (c *gateCheck) early(m *GateMember) bool { return judgedUpTo(m).Before(c.baked) }

// judgedUpTo is the end of what both the release and the verdict know of.
func judgedUpTo(m *GateMember) time.Time { return slo.Earlier(m.Release.End, m.Verdict.Window.End) }

// uncounted says why less of the bake counts than its duration, empty where all of it
// does: a release that was excluded or closed while it baked was not watched.
func (c *gateCheck) uncounted(m *GateMember) string {
	open, excluded := openMinutes(m.Plan, *m.Release), excludedMinutes(m.Plan, *m.Release)
	counted := open - excluded - m.Release.End.Sub(judgedUpTo(m)).Minutes()
	const fewer, remedy = "fewer minutes than bake.duration count since the check began: the others are ", ": give the gate a timeout that reaches beyond them"
	switch {
	case counted >= c.baked.Sub(c.since).Minutes():
		return ""
	case open == 0:
		return "no minute since the check began was open, by the objective's calendar: give the gate a timeout that reaches into the opening hours"
	case excluded == 0:
		return fewer + "closed, by the objective's calendar" + remedy
	case open < m.Release.End.Sub(m.Release.Start).Minutes():
		return fewer + "excluded or, by the objective's calendar, closed" + remedy
	default:
		return fewer + "excluded" + remedy
	}
}

// gappy says what is wrong with a release that was watched for long enough but hardly
// seen; it is empty where it was.
func gappy(m *GateMember) string {
	const check = ": check that the release is scraped"
	silent := slo.Span{Start: slo.Later(m.Verdict.LastData, m.Release.Start), End: m.Release.End}
	switch {
	case m.Release.Covered == 0:
		return "there is no data since the check began" + check + " and has the metric of spec.indicator"
	case coverage(m.Plan, *m.Release) < leastCovered:
		return "fewer than half of the minutes since the check began have data" + check
	case openMinutes(m.Plan, ledger.Stretch{Start: silent.Start, End: silent.End})-excludedWithin(m.Plan, silent) >= longestGap.Minutes():
		return "the last " + slo.FormatDuration(longestGap) + " and more have no data" + check
	default:
		return ""
	}
}
