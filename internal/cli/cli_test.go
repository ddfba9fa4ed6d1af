package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// now is when everything here is rendered.
var now = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)

// outcome is what a command printed, and how it ended.
type outcome struct {
	Code     int
	Out, Err string
}

// run gives the arguments to the program in the folder testdata.
func run(t *testing.T, in io.Reader, args ...string) outcome {
	t.Helper()
	t.Chdir("testdata")
	var out, complaints bytes.Buffer
	p := Program{Version: "v1.2.3", In: in, Out: &out, Err: &complaints, Now: func() time.Time { return now }, Patience: time.Hour}
	code := p.Run(t.Context(), args)
	return outcome{Code: code, Out: out.String(), Err: complaints.String()}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(text)
}

const (
	skipped     = "note: shop/source.yml:1: v1 Namespace is skipped: it is not of experience.slo\n"
	assumed     = "note: ClusterMetricSource default is not among the manifests: it is taken to have the defaults of a ClusterMetricSource\n"
	seeRender   = "See \"kubectl experience render --help\".\n"
	noObjective = "no Objective is among the manifests: add one of kind: Objective\n"
)

// TestRender runs the command as a person does. Output is golden, in files of
// testdata.
func TestRender(t *testing.T) {
	objective := read(t, "testdata/shop/objective.yaml")
	source := read(t, "testdata/shop/source.yml")
	type args struct {
		args []string
		in   string
	}
	type want struct {
		code int
		// out is a golden file; nothing is printed where it is empty.
		out string
		// err is all that is told.
		err string
	}
	cases := map[string]struct {
		reason string
		args   args
		want   want
	}{
		"Folder": {
			reason: "the manifests of a folder belong together; its folders and other files are not read",
			args:   args{args: []string{"-f", "shop"}},
			want:   want{out: "rules.yaml", err: skipped},
		},
		"Files": {
			reason: "files that are named belong together too, in any order",
			args:   args{args: []string{"-f", "shop/source.yml", "--filename", "shop/objective.yaml", "--output=rules"}},
			want:   want{out: "rules.yaml", err: skipped},
		},
		"PrometheusRule": {
			reason: "an object for each objective",
			args:   args{args: []string{"-f", "shop", "-o", "prometheusrule"}},
			want:   want{out: "prometheusrule.yaml", err: skipped},
		},
		"ConfigMap": {
			reason: "an object for each shelf, where the source wants it",
			args:   args{args: []string{"-f", "shop", "-o", "configmap"}},
			want:   want{out: "configmap.yaml", err: skipped},
		},
		"NoSource": {
			reason: "a source that is not there has defaults, and one is told so",
			args:   args{args: []string{"-f", "shop/objective.yaml"}},
			want:   want{out: "defaults.yaml", err: assumed},
		},
		"StandardInput": {
			reason: "a stream is read, and an objective without a namespace is in the one that is named",
			args:   args{args: []string{"-f", "-", "-n", "shop"}, in: strings.ReplaceAll(objective, ", namespace: shop", "")},
			want:   want{out: "defaults.yaml", err: assumed},
		},
		"StreamAndFile": {
			reason: "the standard input and files go together",
			args:   args{args: []string{"-f", "-", "-f", "shop/objective.yaml"}, in: source},
			want:   want{out: "rules.yaml", err: strings.Replace(skipped, "shop/source.yml", "stdin", 1)},
		},
		"List": {
			reason: "what kubectl get prints is taken: lists, defaults, a status, and fields that the server keeps",
			args:   args{args: []string{"-f", "list.yaml"}},
			want:   want{out: "defaults.yaml", err: assumed},
		},
		"JSON": {
			reason: "JSON is YAML",
			args: args{args: []string{"-f", "-"}, in: `{"apiVersion": "experience.slo/v1alpha1", "kind": "Objective", "metadata": {"name": "task-success", "namespace": "shop"},
				"spec": {"service": "checkout", "perspective": "UX", "target": "99%", "window": {"rolling": "28d"},
				"indicator": {"queries": {"points": "increase(good_total[$interval])", "events": "increase(tasks_total[$interval])"}},
				"alerting": {"page": {"mode": "Disabled"}, "ticket": {"mode": "Disabled"}, "dataAbsent": {"mode": "Disabled"}}}}`},
			want: want{out: "defaults.yaml", err: assumed},
		},
		"Suspended": {
			reason: "an objective that is not measured has no rules",
			args:   args{args: []string{"-f", "-"}, in: objective + "  suspend: true\n"},
			want:   want{out: "none.yaml", err: "note: Objective shop/task-success is skipped: spec.suspend is true\n"},
		},
		"Mistakes": {
			reason: "all mistakes are told at once, in the order of the file, and nothing else is printed",
			args:   args{args: []string{"-f", "mistakes.yaml"}},
			want:   want{code: Invalid, err: read(t, "testdata/mistakes.txt")},
		},
		"OneMistake": {
			reason: "rules of good objectives are not printed beside a bad one: half a file would be taken for the whole",
			args:   args{args: []string{"-f", "-", "-f", "shop/objective.yaml"}, in: "apiVersion: experience.slo/v1alpha1\nkind: Promise\n"},
			want: want{code: Invalid, err: assumed +
				"stdin:2: kind: \"Promise\": experience.slo/v1alpha1 has no such kind: write one of Calendar, ClusterIndicator, ClusterMetricSource, Exclusion, Gate, Indicator, Journey, MetricSource, Objective\n"},
		},
		"FilesInOrder": {
			reason: "mistakes are told in the order in which files are named",
			args:   args{args: []string{"-f", "-", "-f", "shop/objective.yaml"}, in: objective},
			want: want{code: Invalid, err: assumed +
				"shop/objective.yaml:4: Objective shop/task-success: metadata.name: \"task-success\": it is at stdin:2 too: remove one of them\n"},
		},
		"Nothing":       {reason: "an empty stream has no rules", args: args{args: []string{"-f", "-"}, in: "# nothing\n---\n"}, want: want{code: Invalid, err: noObjective}},
		"Others":        {reason: "nor have objects of other kinds", args: args{args: []string{"-f", "shop/source.yml"}}, want: want{code: Invalid, err: skipped + noObjective}},
		"Kustomization": {reason: "a kustomization has no kind", args: args{args: []string{"-f", "kustomized"}}, want: want{code: Invalid, err: "note: kustomized/kustomization.yaml:1: skipped: kustomizations are not built\n" + noObjective}},
		"NoFile": {
			reason: "a file must be named",
			want:   want{code: Unusable, err: "error: no manifests: name a file or a folder with --filename\n" + seeRender},
		},
		"MissingFile": {
			reason: "and be there",
			args:   args{args: []string{"-f", "absent.yaml"}},
			want:   want{code: Unusable, err: "error: read manifests: stat absent.yaml: no such file or directory\n" + seeRender},
		},
		"EmptyFolder": {
			reason: "a folder without manifests is a mistyped name",
			args:   args{args: []string{"-f", "notes"}},
			want:   want{code: Unusable, err: "error: read folder \"notes\": no file ends in .json, .yaml, .yml: name a file, or the folder that holds them\n" + seeRender},
		},
		"OtherOutput": {
			reason: "there are three outputs",
			args:   args{args: []string{"-f", "shop", "-o", "json"}},
			want:   want{code: Unusable, err: "error: --output \"json\": write one of rules, prometheusrule, configmap\n" + seeRender},
		},
		"OtherFlag": {
			reason: "a flag must exist",
			args:   args{args: []string{"-f", "shop", "--outptu=rules"}},
			want:   want{code: Unusable, err: "error: unknown flag: --outptu\n" + seeRender},
		},
		"Argument": {
			reason: "a file that is not named by -f would be forgotten",
			args:   args{args: []string{"shop"}},
			want:   want{code: Unusable, err: "error: unknown command \"shop\" for \"kubectl experience render\"\n" + seeRender},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, strings.NewReader(tc.args.in), append([]string{"render"}, tc.args.args...)...)
			if got.Code != tc.want.code {
				t.Errorf("%s: ends with %d, want %d", tc.reason, got.Code, tc.want.code)
			}
			if diff := cmp.Diff(tc.want.err, got.Err); diff != "" {
				t.Errorf("%s: told: -want, +got:\n%s", tc.reason, diff)
			}
			compare(t, tc.reason, tc.want.out, got.Out)
		})
	}
}

// compare holds output against a golden file. The folder is testdata already.
func compare(t *testing.T, reason, name, got string) {
	t.Helper()
	want := ""
	if name != "" {
		path := filepath.Join("golden", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want = read(t, path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: printed (-update writes it): -want, +got:\n%s", reason, diff)
	}
}

func TestCommands(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		code   int
		// out and err are parts of what is printed and told.
		out, err string
	}{
		"Nothing":   {reason: "who knows no command is shown them", out: "Print the rules of objectives"},
		"Help":      {reason: "help is printed, not told", args: []string{"render", "--help"}, out: "(not those in it)"},
		"HelpCodes": {reason: "and says how the program ends", args: []string{"help", "render"}, out: "The exit status is 0, 1 for manifests with mistakes, 2 for"},
		"Version":   {reason: "the release is told", args: []string{"--version"}, out: "kubectl experience version v1.2.3\n"},
		"Unknown":   {reason: "a mistyped command is no success", args: []string{"rendr"}, code: Unusable, err: "unknown command \"rendr\""},
		"Similar":   {reason: "and the right one is shown", args: []string{"rendr"}, code: Unusable, err: "render"},
		"Flag":      {reason: "so is a flag that does not exist", args: []string{"--verbose"}, code: Unusable, err: "error: unknown flag: --verbose\nSee \"kubectl experience --help\".\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, strings.NewReader(""), tc.args...)
			if got.Code != tc.code || !strings.Contains(got.Out, tc.out) || !strings.Contains(got.Err, tc.err) {
				t.Errorf("%s: got %+v", tc.reason, got)
			}
			if (tc.out == "" && got.Out != "") || (tc.err == "" && got.Err != "") {
				t.Errorf("%s: got more than that: %+v", tc.reason, got)
			}
		})
	}
}

// closed is an output that nobody reads any more.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("nobody reads") }

func TestBrokenStreams(t *testing.T) {
	t.Run("Input", func(t *testing.T) {
		got := run(t, iotest.ErrReader(errors.New("line is dead")), "render", "-f", "-")
		want := outcome{Code: Unusable, Err: "error: read standard input: line is dead\n" + seeRender}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a stream that breaks is not the end of the manifests: -want, +got:\n%s", diff)
		}
	})
	t.Run("Output", func(t *testing.T) {
		var complaints bytes.Buffer
		p := Program{Out: closed{}, Err: &complaints, Now: func() time.Time { return now }}
		code := p.Run(t.Context(), []string{"render", "-f", "testdata/shop/objective.yaml"})
		if want := "error: write rules: nobody reads\n" + seeRender; code != Unusable || complaints.String() != assumed+want {
			t.Errorf("output that was lost is no success: %d, %q", code, complaints.String())
		}
	})
	t.Run("Link", func(t *testing.T) {
		folder := t.TempDir()
		path := filepath.Join(folder, "dangling.yaml")
		if err := os.Symlink(filepath.Join(folder, "absent"), path); err != nil {
			t.Fatal(err)
		}
		got := run(t, nil, "render", "-f", folder)
		want := outcome{Code: Unusable, Err: "error: read manifests: open " + path + ": no such file or directory\n" + seeRender}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a manifest of a folder that cannot be read is not left out: -want, +got:\n%s", diff)
		}
	})
}
