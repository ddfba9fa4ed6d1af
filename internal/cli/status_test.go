package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// populate puts three objectives with statuses, and a gate, into a namespace.
func populate(t *testing.T, namespace string) {
	t.Helper()
	of := func(name string) string {
		return strings.ReplaceAll(daily(name, tasks, "99%"), "namespace: shop", "namespace: "+namespace)
	}
	manifests := strings.Replace(of("kept"), "metadata: {", "metadata: {labels: {team: web}, ", 1) + of("broken") + of("open")
	kubectl(t, manifests, "apply", "-f", "-")
	verdicts := map[string][4]string{
		"kept":   {"True", "TargetMet", "99.5%", "50%"},
		"broken": {"False", "TargetMissed", "98%", "-100%"},
		"open":   {"Unknown", "NoData", "", ""},
	}
	for name, v := range verdicts {
		writeStatus(t, namespace, "objective/"+name, verdictOf(v))
	}
	kubectl(t, gateYAML("release", "v1"), "apply", "-n", namespace, "-f", "-")
	operate(t, namespace, "release", v1alpha1.GateBaking)
	kubectl(t, "apiVersion: experience.slo/v1alpha1\nkind: Journey\nmetadata: {name: order}\nspec: {stages: [{name: web, objectives: {names: [kept]}}]}\n", "apply", "-n", namespace, "-f", "-")
	writeStatus(t, namespace, "journey/order", map[string]any{"verdict": "Broken", "weakestStage": "web"})
}

// verdictOf is a status with these: Met, its reason, attainment and budget.
func verdictOf(v [4]string) map[string]any {
	return map[string]any{
		"observedGeneration": 1, "attainment": v[2], "budgetRemaining": v[3],
		"conditions": []any{map[string]any{
			"type": "Met", "status": v[0], "reason": v[1], "message": "", "observedGeneration": 1, "lastTransitionTime": "2026-03-01T00:00:00Z",
		}},
	}
}

// TestStatus shows what is in a real cluster.
func TestStatus(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	cases := map[string]struct {
		reason string
		args   []string
		as     Program
		want   outcome
		// holds is a part of the output, where that is not told whole.
		holds string
	}{
		"Table": {
			reason: "the worst first, and the gate that is baking",
			want: outcome{Out: "NAME     SERVICE    PERSPECTIVE   TARGET   CURRENT   BUDGET   LASTS   MET\n" +
				"broken   checkout   UX            99%      98%       -100%            Violated\n" +
				"open     checkout   UX            99%                                 Unknown\n" +
				"kept     checkout   UX            99%      99.5%     50%              Met\n"},
			holds: "release   v1         Baking",
		},
		"Journeys":   {reason: "journeys behind the objectives", holds: "\n\nJOURNEY   VERDICT   UX   CX   WEAKEST   BUDGET\norder     Broken              web\n"},
		"Name":       {reason: "one alone", args: []string{"kept", "-o", "name"}, want: outcome{Out: "objective.experience.slo/kept\n"}},
		"Selected":   {reason: "by its labels", args: []string{"-l", "team=web", "-o", "name"}, want: outcome{Out: "objective.experience.slo/kept\n"}},
		"Everywhere": {reason: "of all namespaces", args: []string{"-A", "-o", "name", "-l", "team=web"}, want: outcome{Out: "objective.experience.slo/kept\n"}},
		"Terminal":   {reason: "bars for people", args: []string{"kept"}, as: Program{Terminal: true, Width: 120}, holds: "█████░░░░░ 50%"},
		"NoColor":    {reason: "without colours where nobody wants them", args: []string{"kept"}, as: Program{Terminal: true, Getenv: func(string) string { return "dumb" }}, holds: "█████░░░░░ 50%      "},
		"Report":     {reason: "a page", args: []string{"-o", "report", "--service", "checkout"}, holds: "Of three promises, we keep one, we do not keep one and of one we cannot tell."},
		"None": {
			reason: "nothing to show is no error", args: []string{"--service", "search"},
			want: outcome{Err: "no objectives are in namespace \"teststatus\" that are asked for\n"},
		},
		"NoneAnywhere": {reason: "nor anywhere", args: []string{"-A", "--touchpoint", "store"}, want: outcome{Err: "no objectives are in this cluster that are asked for\n"}},
		"Missing":      {reason: "a near miss", args: []string{"borken"}, want: outcome{Code: Unusable, Err: `error: objective "borken" is not in namespace "teststatus": did you mean "broken"?`}},
		"Forbidden":    {reason: "no right", args: []string{"--as", "nobody"}, want: outcome{Code: Unusable, Err: `ask for a role with the verb "list" on "objectives.experience.slo" in namespace "teststatus"`}},
		"Both":         {reason: "a name is in one namespace", args: []string{"kept", "-A"}, want: outcome{Code: Unusable, Err: "name its namespace with -n"}},
		"NameOrLabels": {reason: "a name chooses enough", args: []string{"kept", "-l", "a=b"}, want: outcome{Code: Unusable, Err: "use one of them"}},
		"Perspective":  {reason: "a perspective that is none", args: []string{"--perspective", "ux"}, want: outcome{Code: Unusable, Err: `--perspective "ux": write UX or CX`}},
		"Selector":     {reason: "labels that are none", args: []string{"-l", "=,"}, want: outcome{Code: Unusable, Err: `--selector "=,"`}},
		"Output":       {reason: "an output that is none", args: []string{"-o", "csv"}, want: outcome{Code: Unusable, Err: `--output "csv"`}},
		"WatchJSON":    {reason: "objects are not watched", args: []string{"-w", "-o", "json"}, want: outcome{Code: Unusable, Err: "what changes is shown as table or wide"}},
		"WatchMissing": {reason: "what is not there is not waited for", args: []string{"-w", "borken"}, want: outcome{Code: Unusable, Err: `objective "borken" is not in namespace`}},
		"WatchNobody":  {reason: "no right to watch", args: []string{"-w", "--as", "nobody"}, want: outcome{Code: Unusable, Err: `the verb "list"`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := begin(t, tc.as, append([]string{"status", "-n", namespace}, tc.args...)...).end()
			if got.Code != tc.want.Code || !strings.HasPrefix(got.Out, tc.want.Out) || !strings.Contains(got.Out, tc.holds) || !strings.Contains(got.Err, tc.want.Err) || (tc.want.Err == "") != (got.Err == "") {
				t.Errorf("%s: want %+v with %q, got %d\n%s\n%s", tc.reason, tc.want, tc.holds, got.Code, got.Out, got.Err)
			}
		})
	}
}

// TestStatusObjects prints objects as kubectl does.
func TestStatusObjects(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	got := begin(t, Program{}, "status", "-n", namespace, "-o", "json").end()
	var ours, theirs list
	kubectls := kubectl(t, "", "get", "objectives", "-n", namespace, "-o", "json")
	for text, into := range map[string]*list{got.Out: &ours, kubectls: &theirs} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	byName := map[string]*v1alpha1.Objective{}
	for _, o := range theirs.Items {
		byName[o.Name] = o
	}
	if len(ours.Items) != 3 || ours.Items[0].Name != "broken" {
		t.Fatalf("the list holds %d: %s", len(ours.Items), got.Out)
	}
	for _, o := range ours.Items {
		if diff := cmp.Diff(byName[o.Name], o); diff != "" {
			t.Errorf("kubectl shows another one: -kubectl, +status:\n%s", diff)
		}
	}
	one := begin(t, Program{}, "status", "kept", "-n", namespace, "-o", "yaml").end()
	if !strings.HasPrefix(one.Out, "apiVersion: experience.slo/v1alpha1\nkind: Objective\n") || strings.Contains(one.Out, "managedFields") {
		t.Errorf("one object is %s", one.Out)
	}
}

// TestStatusWatch adds a line when a verdict changes, until a person ends it.
func TestStatusWatch(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	r := begin(t, Program{}, "status", "-n", namespace, "-w", "--service", "checkout")
	eventually(t, "the first table", func() bool { return strings.Count(r.out.String(), "\n") == 4 })
	writeStatus(t, namespace, "objective/open", verdictOf([4]string{"True", "TargetMet", "100%", "100%"}))
	eventually(t, "a line more", func() bool { return strings.Count(r.out.String(), "\n") == 5 })
	r.cancel()
	got := r.end()
	if last := strings.Split(got.Out, "\n")[4]; got.Code != Done || !strings.HasPrefix(last, "open     checkout   UX            99%      100%") {
		t.Errorf("ended with %d: %q\n%s", got.Code, last, got.Err)
	}
}

// TestStatusWatchAll adds lines for journeys and gates too, and draws a terminal anew.
func TestStatusWatchAll(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	lines, screen := begin(t, Program{}, "status", "-n", namespace, "-w"), begin(t, Program{Terminal: true, Width: 200}, "status", "-n", namespace, "-w")
	prints(t, lines, "broken ", "order ", "release ")
	prints(t, screen, "broken ", "order ", "release ")
	first := lines.out.String()
	writeStatus(t, namespace, "journey/order", map[string]any{"verdict": "Degraded"})
	prints(t, lines, "order     Degraded")
	operate(t, namespace, "release", v1alpha1.GatePassed)
	prints(t, lines, "Passed")
	eventually(t, "a screen without the gate", func() bool {
		all := strings.Split(screen.out.String(), clearScreen)
		last := all[len(all)-1]
		return strings.Contains(last, "Degraded") && strings.Contains(last, "broken") && !strings.Contains(last, "GATE")
	})
	for _, r := range []*running{lines, screen} {
		r.cancel()
		if got := r.end(); got.Code != Done || got.Err != "" {
			t.Errorf("ended with %d: %s", got.Code, got.Err)
		}
	}
	if added := strings.TrimPrefix(lines.out.String(), first); !strings.HasPrefix(added, "\nJOURNEY ") || strings.Contains(added, "broken") {
		t.Errorf("what did not change is told again: %s", added)
	}
}

// prints waits until a command has printed all of some texts.
func prints(t *testing.T, r *running, texts ...string) {
	t.Helper()
	for _, text := range texts {
		eventually(t, "the command prints "+text, func() bool { return strings.Contains(r.out.String(), text) })
	}
}

// TestStatusWatchForbidden follows objectives for those who may not read the others.
func TestStatusWatchForbidden(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	kubectl(t, "", "create", "role", "watcher", "-n", namespace, "--verb=get,list,watch", "--resource=objectives.experience.slo")
	kubectl(t, "", "create", "rolebinding", "watcher", "-n", namespace, "--role=watcher", "--user=status-watcher")
	eventually(t, "the right counts", func() bool {
		return begin(t, Program{}, "status", "-n", namespace, "--as", "status-watcher").end().Code == Done
	})
	r := begin(t, Program{}, "status", "-n", namespace, "-w", "--as", "status-watcher")
	r.tells(t, "note: gates are not shown: list gates")
	r.tells(t, "note: journeys are not shown: list journeys")
	eventually(t, "the objectives", func() bool { return strings.Contains(r.out.String(), "broken") })
	writeStatus(t, namespace, "objective/open", verdictOf([4]string{"True", "TargetMet", "100%", "100%"}))
	eventually(t, "a line more", func() bool { return strings.Contains(r.out.String(), "100%") })
	r.cancel()
	if got := r.end(); got.Code != Done || strings.Contains(got.Out, "GATE") || strings.Count(got.Err, "\n") != 2 {
		t.Errorf("ended with %d: %s%s", got.Code, got.Out, got.Err)
	}
}

// TestStatusGatesForbidden shows objectives to those who may not read gates.
func TestStatusGatesForbidden(t *testing.T) {
	namespace := space(t)
	populate(t, namespace)
	kubectl(t, "", "create", "role", "reader", "-n", namespace, "--verb=get,list", "--resource=objectives.experience.slo")
	kubectl(t, "", "create", "rolebinding", "reader", "-n", namespace, "--role=reader", "--user=reader")
	eventually(t, "the right counts", func() bool {
		return begin(t, Program{}, "status", "-n", namespace, "--as", "reader").end().Code == Done
	})
	got := begin(t, Program{}, "status", "-n", namespace, "--as", "reader").end()
	if strings.Contains(got.Out, "GATE") || !strings.Contains(got.Out, "broken") || !strings.Contains(got.Err, "note: gates are not shown: list gates") {
		t.Errorf("shows %s and tells %s", got.Out, got.Err)
	}
}
