package v1alpha1

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// plainExclusion is a valid exclusion that sets nothing it does not have to.
const plainExclusion = `
apiVersion: experience.slo/v1alpha1
kind: Exclusion
metadata: {name: migration, namespace: shop}
spec:
  services: [checkout]
  from: "2026-03-14T22:00:00Z"
  to: "2026-03-15T02:00:00Z"
  reason: The database moves.
  approver: ops@example.com
`

const (
	chooseSome    = "spec: set at least one of selector, objectives, services, for example services: [checkout]"
	inOrder       = "spec: from must be before to"
	tooLong       = "spec: an exclusion lasts no longer than 31 days: use several, each with its own reason"
	periodLonger  = "spec: what comes again every Day or Week lasts no longer than that: bring to nearer to from"
	untilAfter    = "spec: recurrence.until must be after from"
	withdrawnOnly = "spec: withdrawn.at must not be before from: leave it out to take all of the exclusion back"

	recordStays = "<nil>: the exclusion has ended and is a record: nothing of its spec changes any more but withdrawn, which takes it back"
	sameObjects = "<nil>: the exclusion has begun and is a record: it is for the same objectives for ever; create another for more of them"
	begun       = "<nil>: the exclusion has begun and is a record: from, reason, approver and, of one that comes again, to, every and timeZone stay as they are; take it back with withdrawn, or create another"
	toGrows     = "<nil>: the exclusion has begun: to only moves to a later time; end it before with withdrawn.at"
	untilAhead  = "<nil>: the exclusion has begun: recurrence.until only moves to a time after status.next.from; end it before with withdrawn.at"
	goneStays   = "<nil>: the exclusion was withdrawn and is a record: create another"
)

// exclusionMistakes are what the API server must refuse of an exclusion, and
// exactly how.
var exclusionMistakes = map[string]mistake{
	"NobodyChosen": {"it would be for nobody", edits{"spec.services": nil}, []string{chooseSome}},
	"NoNames":      {"and so would an empty list", edits{"spec.services": nil, "spec.objectives": []any{}}, []string{"spec.objectives: should have at least 1 items"}},
	"NamesTwice":   {"each once", edits{"spec.services": []any{"a", "a"}}, []string{"spec.services[1]: Duplicate value"}},
	"FromMissing":  {"time has a beginning", edits{"spec.from": nil}, []string{"spec.from: Required value"}},
	"ToMissing":    {"and an end", edits{"spec.to": nil}, []string{"spec.to: Required value"}},
	"FromWord":     {"a moment is a moment", edits{"spec.from": "tonight"}, []string{`spec.from: must be of type date-time: "tonight"`}},
	"Backwards":    {"the end comes last", edits{"spec.to": "2026-03-14T21:59:59Z"}, []string{inOrder}},
	"Empty":        {"and later than the beginning", edits{"spec.to": "2026-03-14T22:00:00Z"}, []string{inOrder}},
	"TooLong":      {"a quarter is no maintenance", edits{"spec.to": "2026-04-14T22:00:01Z"}, []string{tooLong}},
	"ReasonNone":   {"those who read figures ask why", edits{"spec.reason": nil}, []string{"spec.reason: Required value"}},
	"ReasonEmpty":  {"and a blank is no answer", edits{"spec.reason": ""}, []string{"spec.reason: should be at least 1 chars long"}},
	"ApproverNone": {"and who agreed", edits{"spec.approver": nil}, []string{"spec.approver: Required value"}},
	"EveryOther": {"periods of the calendar", edits{"spec.recurrence": map[string]any{"every": "Hour"}},
		[]string{`spec.recurrence.every: supported values: "Day", "Week", "Month"`}},
	"DayLonger": {"a day holds no more than itself", edits{"spec.recurrence": map[string]any{"every": "Day"}, "spec.to": "2026-03-15T22:00:01Z"},
		[]string{periodLonger}},
	"WeekLonger": {"nor does a week", edits{"spec.recurrence": map[string]any{"every": "Week"}, "spec.to": "2026-03-22T00:00:00Z"}, []string{periodLonger}},
	"ZoneWords": {"a zone is a name", edits{"spec.recurrence": map[string]any{"every": "Day", "timeZone": "the shop's"}},
		[]string{"spec.recurrence.timeZone: timeZone must be an IANA name such as Asia/Kolkata"}},
	"UntilBefore": {"it would never be", edits{"spec.recurrence": map[string]any{"every": "Day", "until": "2026-03-14T22:00:00Z"}}, []string{untilAfter}},
	"WithdrawnBefore": {"what had not begun cannot be cut", edits{"spec.withdrawn": map[string]any{"at": "2026-03-14T21:00:00Z", "by": "ops", "reason": "no"}},
		[]string{withdrawnOnly}},
	"WithdrawnWhy": {"a withdrawal is a record too", edits{"spec.withdrawn": map[string]any{"by": "ops"}}, []string{"spec.withdrawn.reason: Required value"}},
	"WithdrawnWho": {"with a name", edits{"spec.withdrawn": map[string]any{"reason": "no"}}, []string{"spec.withdrawn.by: Required value"}},
	"Unknown":      {"a misspelt field would mean nothing", edits{"spec.form": "x"}, []string{"spec.form: unknown field"}},
}

func TestRefusedExclusions(t *testing.T) {
	d := load(t, "exclusions")
	for name, tc := range exclusionMistakes {
		t.Run(name, func(t *testing.T) {
			got := d.admit(t, tc.edits.apply(t, decode(t, plainExclusion)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdmittedExclusions lists exclusions that must be taken.
func TestAdmittedExclusions(t *testing.T) {
	at := func(text string) metav1.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return metav1.NewTime(moment.Local())
	}
	plain := ExclusionSpec{
		Services: []Label{"checkout"}, From: at("2026-03-14T22:00:00Z"), To: at("2026-03-15T02:00:00Z"),
		Reason: "The database moves.", Approver: "ops@example.com",
	}
	but := func(change func(*ExclusionSpec)) ExclusionSpec {
		spec := *plain.DeepCopy()
		change(&spec)
		return spec
	}
	until := at("2026-12-31T23:00:00Z")
	cases := map[string]struct {
		reason string
		edits  edits
		want   ExclusionSpec
	}{
		"Plain": {reason: "a service, a time, a reason and a name are enough", want: plain},
		"Everything": {
			reason: "any of three ways to choose", edits: edits{
				"spec.objectives": []any{"page-speed"}, "spec.selector": map[string]any{"matchLabels": map[string]any{"team": "web"}},
			},
			want: but(func(s *ExclusionSpec) {
				s.Objectives, s.Selector = []Name{"page-speed"}, &metav1.LabelSelector{MatchLabels: map[string]string{"team": "web"}}
			}),
		},
		"Longest": {
			reason: "31 days to the second", edits: edits{"spec.to": "2026-04-14T22:00:00Z"},
			want: but(func(s *ExclusionSpec) { s.To = at("2026-04-14T22:00:00Z") }),
		},
		"Recurring": {
			reason: "the zone has a default", edits: edits{"spec.recurrence": map[string]any{"every": "Day", "until": "2026-12-31T23:00:00Z"}},
			want: but(func(s *ExclusionSpec) {
				s.Recurrence = &Recurrence{Every: ExclusionDaily, TimeZone: "UTC", Until: &until}
			}),
		},
		"Withdrawn": {
			reason: "wholly, since no moment is named", edits: edits{"spec.withdrawn": map[string]any{"by": "ops", "reason": "nothing happened"}},
			want: but(func(s *ExclusionSpec) { s.Withdrawn = &Withdrawal{By: "ops", Reason: "nothing happened"} }),
		},
	}
	d := load(t, "exclusions")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := tc.edits.apply(t, decode(t, plainExclusion))
			if complaints := d.admit(t, object); complaints != nil {
				t.Fatalf("%s: refused: %q", tc.reason, complaints)
			}
			got := Exclusion{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object, &got, true); err != nil {
				t.Fatalf("decode: %v", err)
			}
			if diff := cmp.Diff(tc.want, got.Spec); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
			if got.Status.ObservedGeneration != -1 || got.Status.State != "" {
				t.Errorf("an exclusion that nobody has looked at must not read as observed: %+v", got.Status)
			}
		})
	}
}

// daily and gone are what an exclusion that comes again and one that was taken back
// have beside the others, and later is an end that is later than theirs.
var (
	daily = edits{"spec.recurrence": map[string]any{"every": "Day", "timeZone": "Europe/Berlin"}}
	gone  = edits{"spec.withdrawn": map[string]any{"by": "ops", "reason": "nothing happened"}}
)

// comes is daily with a next stretch and an end, as far as they are given.
func comes(next, until string) edits {
	again := map[string]any{"every": "Day", "timeZone": "Europe/Berlin"}
	if until != "" {
		again["until"] = until
	}
	out := edits{"spec.recurrence": again}
	if next != "" {
		out["status.next"] = map[string]any{"from": next, "to": "2026-05-15T02:00:00Z"}
	}
	return out
}

const later = "2026-03-15T03:00:00Z"

// exclusionChanges are what may become of an exclusion, and what may not, by where
// it stands.
var exclusionChanges = map[string]struct {
	reason string
	phase  ExclusionState
	was    edits
	edits  edits
	want   []string
}{
	"UnseenFrom":      {reason: "nobody has looked yet", edits: edits{"spec.from": "2026-03-14T23:00:00Z"}},
	"PlannedFrom":     {reason: "a plan may change", phase: ExclusionPlanned, edits: edits{"spec.from": "2026-03-14T23:00:00Z", "spec.reason": "Another."}},
	"PlannedGone":     {reason: "or be dropped", phase: ExclusionPlanned, edits: gone},
	"ActiveTo":        {reason: "maintenance takes longer than planned", phase: ExclusionActive, edits: edits{"spec.to": later}},
	"ActiveFrom":      {reason: "the beginning is past", phase: ExclusionActive, edits: edits{"spec.from": "2026-03-14T21:00:00Z"}, want: []string{begun}},
	"ActiveAgain":     {reason: "nor does it come again from a day long past", phase: ExclusionActive, edits: daily, want: []string{begun}},
	"ActiveDailyTo":   {reason: "yesterday's stretch would be longer", phase: ExclusionActive, was: daily, edits: edits{"spec.to": later}, want: []string{begun}},
	"ActiveDailyZone": {reason: "or at another hour", phase: ExclusionActive, was: daily, edits: edits{"spec.recurrence.timeZone": "UTC"}, want: []string{begun}},
	"ActiveToBack":    {reason: "what was left out stays left out", phase: ExclusionActive, edits: edits{"spec.to": "2026-03-15T01:59:59Z"}, want: []string{toGrows}},
	"ActiveCut":       {reason: "it is cut on record", phase: ExclusionActive, edits: edits{"spec.withdrawn": map[string]any{"at": "2026-03-14T23:00:00Z", "by": "ops", "reason": "done"}}},
	"ActiveReason":    {reason: "the reason that was approved", phase: ExclusionActive, edits: edits{"spec.reason": "Another."}, want: []string{begun}},
	"ActiveApprover":  {reason: "by who approved it", phase: ExclusionActive, edits: edits{"spec.approver": "me"}, want: []string{begun}},
	"ActiveServices":  {reason: "for whom it was", phase: ExclusionActive, edits: edits{"spec.services": []any{"checkout", "search"}}, want: []string{sameObjects}},
	"ActiveNames":     {reason: "by name", phase: ExclusionActive, edits: edits{"spec.objectives": []any{"search"}}, want: []string{sameObjects}},
	"ActiveSelector":  {reason: "or by label", phase: ExclusionActive, edits: edits{"spec.selector": map[string]any{}}, want: []string{sameObjects}},
	"ActiveDailyWhy":  {reason: "of all its stretches", phase: ExclusionActive, was: daily, edits: edits{"spec.reason": "Another."}, want: []string{begun}},
	"ActiveDailyEnd":  {reason: "it may end", phase: ExclusionActive, was: comes("2026-05-14T21:00:00Z", ""), edits: edits{"spec.recurrence.until": "2026-06-01T00:00:00Z"}},
	"ActiveDailyLast": {reason: "after the stretch under way", phase: ExclusionActive, was: comes("2026-05-14T21:00:00Z", ""),
		edits: edits{"spec.recurrence.until": "2026-05-14T21:00:01Z"}},
	"ActiveDailyPast": {reason: "which is not undone, nor are those before", phase: ExclusionActive, was: comes("2026-05-14T21:00:00Z", ""),
		edits: edits{"spec.recurrence.until": "2026-05-14T21:00:00Z"}, want: []string{untilAhead}},
	"ActiveDailySooner": {reason: "nor if an end was set", phase: ExclusionActive, was: comes("2026-05-14T21:00:00Z", "2026-06-01T00:00:00Z"),
		edits: edits{"spec.recurrence.until": "2026-03-16T00:00:00Z"}, want: []string{untilAhead}},
	"ActiveDailyOn": {reason: "which may be dropped", phase: ExclusionActive, was: comes("2026-05-14T21:00:00Z", "2026-06-01T00:00:00Z"), edits: edits{"spec.recurrence.until": nil}},
	"ActiveDailyBlind": {reason: "what is next is not known", phase: ExclusionActive, was: daily,
		edits: edits{"spec.recurrence.until": "2026-06-01T00:00:00Z"}, want: []string{untilAhead}},
	"ActiveDailyGone": {reason: "and its end stays where it was", phase: ExclusionActive, was: comes("", "2026-06-01T00:00:00Z"), edits: gone},
	"EndedFrom":       {reason: "the past was what it was", phase: ExclusionEnded, edits: edits{"spec.from": "2026-03-14T21:00:00Z"}, want: []string{recordStays}},
	"EndedTo":         {reason: "to its end", phase: ExclusionEnded, edits: edits{"spec.to": later}, want: []string{recordStays}},
	"EndedReason":     {reason: "for its reason", phase: ExclusionEnded, edits: edits{"spec.reason": "Another."}, want: []string{recordStays}},
	"EndedApprover":   {reason: "by whom it was", phase: ExclusionEnded, edits: edits{"spec.approver": "me"}, want: []string{recordStays}},
	"EndedAgain":      {reason: "and does not come again", phase: ExclusionEnded, edits: daily, want: []string{recordStays}},
	"EndedUntil":      {reason: "nor go on", phase: ExclusionEnded, was: daily, edits: edits{"spec.recurrence.until": "2026-06-01T00:00:00Z"}, want: []string{recordStays}},
	"EndedServices":   {reason: "for whom it was", phase: ExclusionEnded, edits: edits{"spec.services": []any{"checkout", "search"}}, want: []string{sameObjects}},
	"EndedNames":      {reason: "by name", phase: ExclusionEnded, edits: edits{"spec.objectives": []any{"search"}}, want: []string{sameObjects}},
	"EndedSelector": {reason: "or by label", phase: ExclusionEnded, edits: edits{"spec.selector": map[string]any{"matchLabels": map[string]any{"a": "b"}}},
		want: []string{sameObjects}},
	"EndedGone":      {reason: "but it can be taken back", phase: ExclusionEnded, edits: gone},
	"EndedLabels":    {reason: "and metadata is nobody's record", phase: ExclusionEnded, edits: edits{"metadata.labels": map[string]any{"a": "b"}}},
	"WithdrawnBack":  {reason: "for good", phase: ExclusionWithdrawn, was: gone, edits: edits{"spec.withdrawn": nil}, want: []string{goneStays}},
	"WithdrawnOther": {reason: "in the same words", phase: ExclusionWithdrawn, was: gone, edits: edits{"spec.withdrawn.by": "me"}, want: []string{goneStays}},
	"WithdrawnAgain": {reason: "whether the operator saw it or not", was: gone, edits: edits{"spec.to": later}, want: []string{goneStays}},
}

func TestChangedExclusions(t *testing.T) {
	d := load(t, "exclusions")
	for name, tc := range exclusionChanges {
		t.Run(name, func(t *testing.T) {
			stored := func(more edits) map[string]any {
				object := more.apply(t, runtime.DeepCopyJSON(tc.was.apply(t, decode(t, plainExclusion))))
				if complaints := d.admit(t, object); complaints != nil {
					t.Fatalf("%s: by itself it is refused: %q", tc.reason, complaints)
				}
				if tc.phase != "" {
					edits{"status.state": string(tc.phase)}.apply(t, object)
				}
				return object
			}
			var got []string
			errs, _ := d.cel.Validate(t.Context(), nil, d.structural, stored(tc.edits), stored(nil), celconfig.RuntimeCELCostBudget)
			for _, err := range errs {
				got = append(got, err.Field+": "+strings.TrimPrefix(err.Detail, err.Field+" in body "))
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
