package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/alloy/syntax/parser"
	"github.com/grafana/alloy/syntax/vm"
	"github.com/prometheus/prometheus/model/labels"
	promparser "github.com/prometheus/prometheus/promql/parser"
)

const alloyPath = "../config/indicators/alloy/config.alloy"

// alloyConfig is what the configuration may hold: the components that it uses, with
// the settings that Alloy's reference has of them.
type alloyConfig struct {
	Faro    []alloyFaro    `alloy:"faro.receiver,block"`
	API     []alloyAPI     `alloy:"loki.source.api,block"`
	Process []alloyProcess `alloy:"loki.process,block"`
}

type alloyFaro struct {
	Label  string `alloy:",label"`
	Server struct {
		Address string   `alloy:"listen_address,attr,optional"`
		Port    int      `alloy:"listen_port,attr,optional"`
		Origins []string `alloy:"cors_allowed_origins,attr,optional"`
		Key     string   `alloy:"api_key,attr,optional"`
		Most    string   `alloy:"max_allowed_payload_size,attr,optional"`
	} `alloy:"server,block,optional"`
	Output struct {
		Logs []string `alloy:"logs,attr,optional"`
	} `alloy:"output,block"`
}

type alloyAPI struct {
	Label string `alloy:",label"`
	HTTP  struct {
		Address string `alloy:"listen_address,attr,optional"`
		Port    int    `alloy:"listen_port,attr,optional"`
	} `alloy:"http,block,optional"`
	ForwardTo []string `alloy:"forward_to,attr"`
}

type alloyProcess struct {
	Label     string       `alloy:",label"`
	ForwardTo []string     `alloy:"forward_to,attr"`
	Stages    []alloyStage `alloy:"stage,enum,optional"`
}

// alloyStage is one of the stages of loki.process.
type alloyStage struct {
	Logfmt *struct {
		Mapping map[string]string `alloy:"mapping,attr"`
	} `alloy:"logfmt,block,optional"`
	JSON *struct {
		Expressions map[string]string `alloy:"expressions,attr"`
	} `alloy:"json,block,optional"`
	Labels *struct {
		Values map[string]string `alloy:"values,attr"`
	} `alloy:"labels,block,optional"`
	LabelKeep *struct {
		Values []string `alloy:"values,attr"`
	} `alloy:"label_keep,block,optional"`
	Template *struct {
		Source   string `alloy:"source,attr"`
		Template string `alloy:"template,attr"`
	} `alloy:"template,block,optional"`
	Match *struct {
		Selector string       `alloy:"selector,attr"`
		Stages   []alloyStage `alloy:"stage,enum,optional"`
	} `alloy:"match,block,optional"`
	Metrics *struct {
		Metrics []struct {
			Histogram *alloyMetric `alloy:"histogram,block,optional"`
			Counter   *alloyMetric `alloy:"counter,block,optional"`
		} `alloy:"metric,enum,optional"`
	} `alloy:"metrics,block,optional"`
}

// alloyMetric is a counter or a histogram.
type alloyMetric struct {
	Prefix      string    `alloy:"prefix,attr,optional"`
	Name        string    `alloy:"name,attr"`
	Description string    `alloy:"description,attr,optional"`
	Source      string    `alloy:"source,attr,optional"`
	MaxIdle     string    `alloy:"max_idle_duration,attr,optional"`
	Buckets     []float64 `alloy:"buckets,attr,optional"`
	Action      string    `alloy:"action,attr,optional"`
}

// readAlloy has Alloy's own parser and evaluator read the configuration. References
// to components that it does not have, and settings that there are not, are errors.
func readAlloy(t *testing.T, text []byte) (*alloyConfig, error) {
	t.Helper()
	file, err := parser.ParseFile("config.alloy", text)
	if err != nil {
		return nil, err
	}
	receivers := map[string]any{}
	for _, found := range regexp.MustCompile(`(?m)^loki\.process "(\w+)"`).FindAllSubmatch(text, -1) {
		receivers[string(found[1])] = map[string]any{"receiver": string(found[1])}
	}
	scope := &vm.Scope{Variables: map[string]any{"loki": map[string]any{"process": receivers}}}
	out := &alloyConfig{}
	return out, vm.New(file).Evaluate(scope, out)
}

// TestAlloyConfiguration holds what Alloy would make of the configuration against the
// contract. What its stages do with a line is not run.
func TestAlloyConfiguration(t *testing.T) {
	text, err := os.ReadFile(alloyPath)
	if err != nil {
		t.Fatal(err)
	}
	config, err := readAlloy(t, text)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]promised{}
	var reached []string
	for _, f := range config.Faro {
		reached = append(reached, f.Output.Logs...)
	}
	for _, a := range config.API {
		reached = append(reached, a.ForwardTo...)
	}
	for _, p := range config.Process {
		if !slices.Contains(reached, p.Label) {
			t.Errorf("nothing goes to loki.process %q", p.Label)
		}
		alloyStages(p.Stages).metrics(t, nil, got)
	}
	if diff := cmp.Diff(collected(t), got, cmp.AllowUnexported(promised{})); diff != "" {
		t.Errorf("-contract, +config.alloy:\n%s", diff)
	}
}

// alloyStages are stages that a line goes through.
type alloyStages []alloyStage

// metrics gathers the metrics of stages, each with the labels that are left by then.
func (s alloyStages) metrics(t *testing.T, left []string, into map[string]promised) {
	t.Helper()
	for _, stage := range s {
		switch {
		case stage.LabelKeep != nil:
			left = stage.LabelKeep.Values
		case stage.Template != nil:
			if _, err := template.New("").Funcs(template.FuncMap{"regexMatch": regexp.MatchString}).Parse(stage.Template.Template); err != nil {
				t.Errorf("%s: %v", stage.Template.Source, err)
			}
		case stage.Match != nil:
			selects(t, stage.Match.Selector)
			alloyStages(stage.Match.Stages).metrics(t, nil, into)
		case stage.Metrics != nil:
			for _, m := range stage.Metrics.Metrics {
				add(t, m.Histogram, "histogram", left, into)
				add(t, m.Counter, "counter", left, into)
			}
		}
	}
}

// selects checks a stream selector, whose syntax is that of a series.
func selects(t *testing.T, selector string) {
	t.Helper()
	matchers, err := promparser.NewParser(promparser.Options{}).ParseMetricSelector(selector)
	if err != nil {
		t.Errorf("%s: %v", selector, err)
	}
	for _, m := range matchers {
		if m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp || m.Matches("anything else") {
			t.Errorf("%s lets any %s through", selector, m.Name)
		}
	}
}

func add(t *testing.T, m *alloyMetric, kind string, left []string, into map[string]promised) {
	t.Helper()
	if m == nil {
		return
	}
	if m.MaxIdle != "720h" || (kind == "counter") != (m.Action == "inc") || m.Source == "" {
		t.Errorf("%s%s: %+v", m.Prefix, m.Name, m)
	}
	p := promised{kind: kind, labels: left}
	for _, bound := range m.Buckets {
		p.buckets = append(p.buckets, strconv.FormatFloat(bound, 'f', -1, 64))
	}
	into[m.Prefix+m.Name] = p
}

// TestAlloyMistakes shows that mistakes would be found.
func TestAlloyMistakes(t *testing.T) {
	text, err := os.ReadFile(alloyPath)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ reason, old, new string }{
		"Syntax":    {"a brace too few", "stage.labels {", "stage.labels"},
		"Component": {"a component that there is not", "loki.source.api", "loki.source.web"},
		"Setting":   {"a setting that there is not", "listen_port ", "listening_port "},
		"Type":      {"a setting of another type", `["app"]`, `"app"`},
		"Reference": {"a component that is not in the file", "loki.process.vitals.receiver", "loki.process.vital.receiver"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := regexp.MustCompile(regexp.QuoteMeta(tc.old)).ReplaceAllLiteral(text, []byte(tc.new))
			if _, err := readAlloy(t, changed); err == nil || string(changed) == string(text) {
				t.Errorf("%s: no error", tc.reason)
			} else {
				t.Log(err)
			}
		})
	}
}
