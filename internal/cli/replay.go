package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/config"
	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
	"github.com/experience-slo/operator/internal/ledger"
	"github.com/experience-slo/operator/internal/promql"
	"github.com/experience-slo/operator/internal/replay"
	"github.com/experience-slo/operator/internal/slo"
	"github.com/experience-slo/operator/internal/status"
)

// outputSVG is a picture.
const outputSVG = "svg"

var replayOutputs = []string{outputTable, outputJSON, outputSVG}

// replayOptions are the flags of replay.
type replayOptions struct {
	manifestOptions
	access         access
	from, to, step string
	against        []string
}

func (p Program) replayCommand() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay -f FILE|DIR|- --from TIME [--prometheus URL]",
		Short: "Tell what attainment, budget and alerts would have been",
		Long: `Tell what attainment, budget and alerts of objectives would have been over a time that
has passed, by what a Prometheus-compatible server holds, with no cluster and nothing
installed: before an objective is live, or before its target or window is changed.

Manifests, the server and credentials are read as evaluate does. The figures are those that
the operator would have written, and the alerts those that a ruler would have fired that
evaluates the rules of render at whole multiples of their intervals. What exclusions among
the manifests leave out counts in neither, as if they had been known all along. With
--against a second version of the manifests is replayed too, and what differs is told.

The exit status is 0 where all objectives were replayed, and 2 for mistakes in manifests
and in the command line, and for a server that cannot be asked.`,
		Example: `  kubectl experience replay -f objectives.yaml --prometheus http://localhost:9090 --from 28d
  kubectl experience replay -f objectives.yaml --from 2026-03-01T00:00:00Z --to 2026-03-08T00:00:00Z -o svg > week.svg
  kubectl experience replay -f new/ --against old/ --prometheus http://localhost:9090 --from 7d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.replay(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.bind(flags, replayOutputs, "tables, all figures for programs, or a picture of the budget")
	flags.StringVar(&o.from, "from", "", "the beginning: a moment such as 2026-03-01T00:00:00Z, or how long before the end, such as 28d")
	flags.StringVar(&o.to, "to", "", "the end, a moment; now, less the source's delay, where it is not given")
	flags.StringVar(&o.step, "step", "", "how far apart points of the curve are, such as 5m; so that there are some hundred, where it is not given")
	flags.StringArrayVar(&o.against, "against", nil, "a file or a folder with the manifests to compare with; may be repeated")
	o.access.bind(flags)
	return cmd
}

// stretch is the time that is replayed.
type stretch struct {
	from, to time.Time
	step     time.Duration
}

// replayed is an objective and what would have been.
type replayed struct {
	planned
	replay.Replay

	// figures are those of the end as the operator writes them.
	figures *v1alpha1.Objective
	// excluded are the parts of the time that do not count.
	excluded []slo.Span
	// failed says why there are none.
	failed error
}

// replay prints nothing but mistakes where there is one in a manifest.
func (p Program) replay(ctx context.Context, o replayOptions) error {
	if err := checkOutput(o.output, replayOutputs); err != nil {
		return err
	}
	over, err := o.stretch(p.Now())
	if err != nil {
		return err
	}
	secrets, err := o.access.read(p.Getenv)
	if err != nil {
		return err
	}
	plans, err := p.planVersions(ctx, o, &over)
	if err != nil {
		return err
	}
	var versions [][]replayed
	for _, plan := range plans {
		all, err := p.replayVersion(ctx, o, plan, over, secrets)
		if err != nil {
			return err
		}
		versions = append(versions, all)
	}
	text, err := writeReplay(o.output, over, versions)
	if err != nil {
		return err
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	return p.tellFailed(versions)
}

// version is the objectives of one version of the manifests.
type version struct {
	found *inventory
	all   []planned
}

// planVersions plans all versions before one is replayed, so that all of them end
// at the same present.
func (p Program) planVersions(ctx context.Context, o replayOptions, over *stretch) ([]version, error) {
	var out []version
	for _, paths := range [][]string{o.paths, o.against} {
		if len(paths) == 0 && len(out) > 0 {
			continue
		}
		found, err := p.manifests(ctx, paths, o.namespace)
		if err != nil {
			return nil, err
		}
		all := found.plan(found.active(), over.to)
		if err := p.report(found); errors.Is(err, errInvalid) {
			return nil, ended(Unusable)
		} else if err != nil {
			return nil, err
		}
		p.tellWhole(all)
		out = append(out, version{found, all})
	}
	if o.to != "" {
		return out, nil
	}
	for _, v := range out {
		over.settle(v.all, p.Now())
	}
	if over.to.Sub(over.from) < time.Minute {
		return nil, fmt.Errorf("--from %q: all samples are there up to %s only, by the delay of the sources: write a moment at least a minute before that, or a longer time", o.from, over.to.Format(time.RFC3339))
	}
	return out, nil
}

// replayVersion replays the objectives of one version of the manifests.
func (p Program) replayVersion(ctx context.Context, o replayOptions, v version, over stretch, secrets config.HTTPClientConfig) ([]replayed, error) {
	links, err := v.found.connect(ctx, v.all, o.access.url, secrets)
	defer links.close()
	for _, note := range links.notes {
		p.tell("note: %s", note)
	}
	if err != nil {
		return nil, err
	}
	out := make([]replayed, len(v.all))
	p.spread(v.all, "objectives replayed", func(i int) {
		out[i] = v.all[i].replay(ctx, links.of[v.all[i].plan.Source], over)
	})
	return out, nil
}

// parts are those of spans that are in the stretch.
func (s stretch) parts(spans []slo.Span) []slo.Span {
	var out []slo.Span
	for _, span := range spans {
		span.Start, span.End = slo.Later(span.Start, s.from), slo.Earlier(span.End, s.to)
		if span.End.After(span.Start) {
			out = append(out, span)
		}
	}
	return out
}

// settle ends the stretch where all samples are there: at the present less the
// longest delay.
func (s *stretch) settle(all []planned, now time.Time) {
	for _, o := range all {
		if to := now.Add(-o.source.Delay.Duration).Truncate(time.Minute); to.Before(s.to) {
			s.to = to
		}
	}
}

// tellWhole says which objectives are replayed by their whole alone.
func (p Program) tellWhole(all []planned) {
	for _, o := range all {
		if o.plan.Group != nil && o.plan.Group.Every {
			p.tell("note: %s: segments are not replayed: the figures are of all together", nameOfObjective(o.declared))
		}
	}
}

// tellFailed says of which objectives nothing is known.
func (p Program) tellFailed(versions [][]replayed) error {
	failed := false
	for _, all := range versions {
		for _, r := range all {
			if r.failed != nil {
				p.tell("%s: %s: %s", r.placeOf(faultOf(r.failed).field), nameOfObjective(r.declared), r.failed)
				failed = true
			}
		}
	}
	if failed {
		return ended(Unusable)
	}
	return nil
}

// stretch reads the flags that say when.
func (o replayOptions) stretch(now time.Time) (stretch, error) {
	out := stretch{to: now.UTC().Truncate(time.Minute)}
	if o.to != "" {
		at, err := momentFlag("--to", o.to, now)
		if err != nil {
			return out, err
		}
		out.to = at.Truncate(time.Minute)
	}
	var err error
	if out.from, err = o.begin(out.to); err != nil {
		return out, err
	}
	length := out.to.Sub(out.from)
	if length < time.Minute || length > slo.MaxRolling {
		return out, fmt.Errorf("from %s to %s: write a stretch of a minute to 400 days", out.from.Format(time.RFC3339), out.to.Format(time.RFC3339))
	}
	out.step, err = o.pace(length)
	return out, err
}

// begin reads --from, which may count back from the end.
func (o replayOptions) begin(to time.Time) (time.Time, error) {
	if back, err := slo.ParseDuration(o.from); err == nil {
		return to.Add(-back).Truncate(time.Minute), nil
	}
	at, err := time.Parse(time.RFC3339, o.from)
	if err != nil {
		return to, fmt.Errorf("--from %q: write a moment such as 2026-03-01T00:00:00Z, or how long before the end, such as 28d", o.from)
	}
	return at.UTC().Truncate(time.Minute), nil
}

// paces are steps that people read well, and most points of a curve that nobody
// chose a step for.
var paces = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}

const mostPoints = 700

func (o replayOptions) pace(length time.Duration) (time.Duration, error) {
	if o.step == "" {
		for _, step := range paces {
			if length/step <= mostPoints {
				return step, nil
			}
		}
	}
	step, err := slo.ParseDuration(o.step)
	if err != nil || step < time.Minute || step%time.Minute != 0 {
		return 0, fmt.Errorf("--step %q: write whole minutes such as 5m", o.step)
	}
	return step, nil
}

// replay reads what a server holds of an objective, and judges it by the operator's
// own code.
func (o planned) replay(ctx context.Context, from metrics, over stretch) replayed {
	out := replayed{planned: o}
	segments, history, err := o.past(ctx, from, over)
	if err != nil {
		out.failed = err
		return out
	}
	out.Replay = replay.Run(history, segments, over.step)
	out.excluded = over.parts(segments[0].Plan.Excluded)
	out.figures = o.DeepCopy()
	status.Objective(out.figures, &out.Last, nil)
	return out
}

// past reads the history of an objective, and makes a plan for each part of it.
func (o planned) past(ctx context.Context, from metrics, over stretch) ([]replay.Segment, *ledger.History, error) {
	le, err := o.boundaries(ctx, from, over)
	if err != nil {
		return nil, nil, err
	}
	segments, err := o.segments(over, le)
	if errors.Is(err, compile.ErrNoBoundaries) {
		nothing := &ledger.History{Grid: o.plan.Grid, From: over.from, Fine: over.from, To: over.to, Exact: ledger.TermsOf(o.plan).Exact()}
		return segments, nothing, nil
	}
	if err != nil {
		return nil, nil, err
	}
	buckets, minutes := replay.Reach(segments[0].Plan, segments[0].Start)
	for _, s := range segments[1:] {
		b, m := replay.Reach(s.Plan, s.Start)
		buckets, minutes = slo.Earlier(buckets, b), slo.Earlier(minutes, m)
	}
	history, err := ledger.ReadHistory(ctx, from, ledger.TermsOf(segments[0].Plan), ledger.Past{
		From: buckets, Fine: minutes, To: over.to,
		Excluded: segments[0].Plan.Excluded, // those of the plans after it are among them
	})
	return segments, history, err
}

// boundaries gives those of a histogram's buckets at the end or, where there are
// none any more, at any time before.
func (o planned) boundaries(ctx context.Context, from metrics, over stretch) (promql.Boundaries, error) {
	if o.plan.Histogram == nil {
		return nil, nil
	}
	found, err := from.Instant(ctx, o.plan.Histogram.Probe, over.to)
	if err != nil {
		return nil, err
	}
	var le []string
	for _, sample := range found {
		le = append(le, string(sample.Metric["le"]))
	}
	if len(le) > 0 {
		return promql.NewBoundaries(le), nil
	}
	before, err := from.Range(ctx, o.plan.Histogram.Probe, over.from, over.to, probing)
	for _, stream := range before {
		le = append(le, string(stream.Metric["le"]))
	}
	return promql.NewBoundaries(le), err
}

// segments are the parts of the time that have a plan each: a calendar window's
// alerts depend on the length of its unit.
func (o planned) segments(over stretch, le promql.Boundaries) ([]replay.Segment, error) {
	var out []replay.Segment
	o.in.Until = over.to
	window := o.plan.Window
	for at := over.from; at.Before(over.to); {
		end := over.to
		if window.Calendar != "" {
			end = slo.Earlier(over.to, window.Span(at).Start.Add(window.Period(at)).UTC())
		}
		plan, err := o.planAt(at)
		if err != nil {
			return nil, err
		}
		out = append(out, replay.Segment{Plan: plan, Start: at, End: end})
		at = end
	}
	for _, s := range out {
		if err := s.Plan.Bind(le); err != nil {
			return out, err
		}
	}
	return out, nil
}
