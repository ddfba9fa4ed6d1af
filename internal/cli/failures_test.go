package cli

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFailures gives each command what it cannot use: the message, with the
// manifest's place, and the code. Messages are regular expressions.
func TestFailures(t *testing.T) {
	good := daily("a", tasks, "98%")
	const other = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	// Linux opens it and reads nothing from its beginning, whoever asks.
	const unreadable, says = "/proc/self/mem", `^error: read manifests: read /proc/self/mem: input/output error\n`
	type want struct {
		code    int
		message string
	}
	type args struct{ in, flags string }
	cases := map[string]struct {
		reason string
		args   args
		// want is by command.
		want map[string]want
	}{
		"Flag": {
			reason: "a wrong flag", args: args{good, "-f - --outptu=x"},
			want: map[string]want{
				"render": {Unusable, `^error: unknown flag: --outptu\n`}, "validate": {Unusable, `^error: unknown flag: --outptu\n`}, "evaluate": {Unusable, `^error: unknown flag: --outptu\n`},
			},
		},
		"Output": {
			reason: "an output that there is not", args: args{good, "-f - -o xml"},
			want: map[string]want{
				"render":   {Unusable, `^error: --output "xml": write one of rules, prometheusrule, configmap\n`},
				"validate": {Unusable, `^error: --output "xml": write one of text, json, sarif\n`},
				"evaluate": {Unusable, `^error: --output "xml": write one of table, json, yaml\n`},
			},
		},
		"Absent": {
			reason: "a file that is not there", args: args{"", "-f absent.yaml"},
			want: map[string]want{
				"render": {Unusable, `^error: read manifests: stat absent.yaml: no such file`}, "validate": {Unusable, `^error: read manifests: stat absent.yaml: no such file`}, "evaluate": {Unusable, `^error: read manifests: stat absent.yaml: no such file`},
			},
		},
		"Unreadable": {
			reason: "a file that cannot be read", args: args{"", "-f " + unreadable},
			want: map[string]want{
				"render": {Unusable, says}, "validate": {Unusable, says}, "evaluate": {Unusable, says},
			},
		},
		"OtherKind": {
			reason: "a manifest of another kind", args: args{other, "-f -"},
			want: map[string]want{
				"render":   {Invalid, `^note: stdin:1: v1 Service is skipped: it is not of experience.slo\nno Objective is among the manifests`},
				"validate": {Done, `^note: stdin:1: v1 Service is skipped: it is not of experience.slo\nobjectives: 0, `},
				"evaluate": {Unusable, `^note: stdin:1: v1 Service is skipped: it is not of experience.slo\nno Objective is among the manifests`},
			},
		},
		"OneBad": {
			reason: "one bad document of several", args: args{good + "\nkind: [\n---\n" + daily("b", tasks, "98%"), "-f - --prometheus " + server.URL},
			want: map[string]want{
				"validate": {Invalid, `^stdin:13: decode: yaml: line 13: did not find expected node content\n`},
				"evaluate": {Unusable, `stdin:13: decode: yaml: line 13: did not find expected node content\n`},
			},
		},
		"Large": {
			reason: "ten megabytes of good manifests and a comment", args: args{good + "\n" + strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 100_000), "-f - --prometheus " + server.URL},
			want: map[string]want{"validate": {Done, `mistakes: 0`}, "evaluate": {Done, `98%.*True`}},
		},
		"LargeMess": {
			reason: "a megabyte with a mistake in each line, of which the first few are told", args: args{strings.Repeat("k: v\n", 200_000), "-f -"},
			want: map[string]want{
				"render": {Invalid, `^stdin:1: decode: yaml: unmarshal errors: line 2: key "k" already set in map .{300,500}…\n`}, "validate": {Invalid, `^stdin:1: decode: yaml: unmarshal errors: line 2: key "k" already set in map .{300,500}…\n`},
			},
		},
		"LargeValue": {
			reason: "ten megabytes of one value, of which the beginning is told",
			args:   args{strings.Replace(good, "service: checkout", "service: "+strings.Repeat("x", 10<<20), 1), "-f -"},
			want: map[string]want{
				"render": {Invalid, `^stdin:6: Objective shop/a: spec.service: "x{80}"…: may not be more than`}, "validate": {Invalid, `^stdin:6: Objective shop/a: spec.service: "x{80}"…: may not be more than`}, "evaluate": {Unusable, `^stdin:6: Objective shop/a: spec.service: "x{80}"…: may not be more than`},
			},
		},
		"Unreachable": {
			reason: "a server that is not there", args: args{good, "-f - --prometheus http://127.0.0.1:1"},
			want: map[string]want{
				"validate": {Unusable, `error: ClusterMetricSource default refused the connection: check that it runs and that --prometheus has the right host and port\n`},
				"evaluate": {Unusable, `error: ClusterMetricSource default refused the connection: check that it runs and that --prometheus has the right host and port\n`},
			},
		},
		"NoURL": {
			reason: "a server without a scheme", args: args{good, "-f - --prometheus localhost:9090"},
			want: map[string]want{
				"validate": {Unusable, `error: --prometheus "localhost:9090" must begin with http:// or https:// and name a host\n`},
				"evaluate": {Unusable, `error: --prometheus "localhost:9090" must begin with http:// or https:// and name a host\n`},
			},
		},
		"NoMoment": {
			reason: "a moment that is none", args: args{good, "-f - --at yesterday"},
			want: map[string]want{"evaluate": {Unusable, `^error: --at "yesterday": write a moment such as 2026-03-01T00:00:00Z\n`}},
		},
		"Future": {
			reason: "a moment that is to come", args: args{good, "-f - --at 2026-03-15T12:00:01Z"},
			want: map[string]want{"evaluate": {Unusable, `^error: --at "2026-03-15T12:00:01Z": it is in the future: nothing is known of it yet\n`}},
		},
		"Argument": {
			reason: "a file without its flag", args: args{good, "objectives.yaml"},
			want: map[string]want{
				"render": {Unusable, `^error: unknown command "objectives.yaml" for "kubectl experience render"\n`}, "validate": {Unusable, `^error: unknown command "objectives.yaml" for "kubectl experience validate"\n`}, "evaluate": {Unusable, `^error: unknown command "objectives.yaml" for "kubectl experience evaluate"\n`},
			},
		},
	}
	for name, tc := range cases {
		for command, want := range tc.want {
			t.Run(name+"/"+command, func(t *testing.T) {
				got := do(t, tc.args.in, append([]string{command}, strings.Fields(tc.args.flags)...)...)
				if got.Code != want.code {
					t.Errorf("%s: ends with %d, want %d", tc.reason, got.Code, want.code)
				}
				if said := got.Out + got.Err; !regexp.MustCompile(want.message).MatchString(said) {
					t.Errorf("%s: said %.300q, want %s", tc.reason, said, want.message)
				}
				if len(got.Err) > 4096 {
					t.Errorf("%s: said %d bytes", tc.reason, len(got.Err))
				}
				if see := "See \"kubectl experience " + command + " --help\".\n"; want.code == Unusable && strings.HasPrefix(want.message, "^error") && !strings.HasSuffix(got.Err, see) {
					t.Errorf("%s: does not say where to read more: -want, +got:\n%s", tc.reason, cmp.Diff(see, got.Err))
				}
			})
		}
	}
}
