package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/experience-slo/operator/api/v1alpha1"
	foreign "github.com/experience-slo/operator/internal/convert"
	"github.com/experience-slo/operator/internal/slo"
)

var convertOutputs = []string{outputYAML, outputJSON}

// convertOptions are the flags of convert.
type convertOptions struct {
	manifestOptions
	from, source, perspective, touchpoint, service, window string
	skipInvalid                                            bool
}

func (p Program) convertCommand() *cobra.Command {
	var o convertOptions
	cmd := &cobra.Command{
		Use:   "convert -f FILE|DIR|- --from sloth|pyrra|openslo",
		Short: "Turn objectives of Sloth, Pyrra and OpenSLO into those of the operator",
		Long: `Turn objectives of Sloth, Pyrra and OpenSLO into those of the operator.

Each field is converted, or told beside the output with its file, line and value, and what
to do. What is printed passes the checks of validate.

Where an objective cannot be converted nothing is printed: a part would be taken for all.
With --skip-invalid the others are. Objects of other kinds are skipped. Documents that
refer to each other are converted together.

The exit status is 0, also with notes, 1 where something could not be converted, and 2 for
a command line or a file that cannot be used.`,
		Example: `  kubectl experience convert -f slos/ --from sloth --window 28d > objectives.yaml
  kubectl get slo -A -o yaml | kubectl experience convert -f - --from pyrra
  kubectl experience convert -f openslo.yaml --from openslo -n shop --source MetricSource/prometheus`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.convert(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.paths, "filename", "f", nil, "a file, a folder (not those in it), or - for the standard input; may be repeated")
	flags.StringVarP(&o.namespace, "namespace", "n", "", "the namespace of objects whose documents name none; without it they name none either")
	bindOutput(flags, &o.output, convertOutputs, "documents, or one list")
	flags.StringVar(&o.from, "from", "", "what the documents were written for: sloth, pyrra or openslo")
	flags.StringVar(&o.source, "source", "", "the source of objectives whose documents name none: the name of a ClusterMetricSource, or MetricSource/NAME")
	flags.StringVar(&o.perspective, "perspective", string(v1alpha1.PerspectiveUX), "UX or CX")
	flags.StringVar(&o.touchpoint, "touchpoint", "", "where people meet the service, such as web")
	flags.StringVar(&o.service, "service", "", "the service of objectives whose documents name none")
	flags.StringVar(&o.window, "window", "30d", "the window of objectives whose documents name none")
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "print what could be converted where something could not")
	return cmd
}

// check reads the flags.
func (o convertOptions) check() (foreign.Options, error) {
	out := foreign.Options{
		From: foreign.Format(o.from), Namespace: o.namespace, Perspective: v1alpha1.Perspective(o.perspective),
		Touchpoint: v1alpha1.Label(o.touchpoint), Service: v1alpha1.Label(o.service), Window: v1alpha1.RollingWindow(o.window),
	}
	switch {
	case len(o.paths) == 0:
		return out, errors.New("no manifests: name a file or a folder with --filename")
	case !slices.Contains(foreign.Formats, out.From):
		return out, fmt.Errorf("--from %q: write sloth, pyrra or openslo", o.from)
	case out.Perspective != v1alpha1.PerspectiveUX && out.Perspective != v1alpha1.PerspectiveCX:
		return out, fmt.Errorf("--perspective %q: write UX or CX", o.perspective)
	}
	err := errors.Join(checkLabel("touchpoint", o.touchpoint), checkLabel("service", o.service), checkWindow(o.window), checkOutput(o.output, convertOutputs))
	if err == nil {
		out.Source, err = sourceNamed(o.source)
	}
	return out, err
}

// checkLabel checks a flag whose value becomes a label.
func checkLabel(flag, value string) error {
	if value != "" && len(validation.IsDNS1123Label(value)) > 0 {
		return fmt.Errorf("--%s %q: use lower-case letters and digits, with dashes between them, such as mobile-app", flag, value)
	}
	return nil
}

// checkWindow checks --window.
func checkWindow(text string) error {
	length, err := slo.ParseDuration(text)
	if err == nil {
		err = slo.Window{Rolling: length}.Validate()
	}
	if err != nil {
		return fmt.Errorf("--window %q: %w", text, err)
	}
	return nil
}

// sourceNamed reads --source.
func sourceNamed(text string) (*v1alpha1.SourceReference, error) {
	if text == "" {
		return nil, nil
	}
	kind, name, named := strings.Cut(text, "/")
	if !named {
		kind, name = string(v1alpha1.SourceKindClusterMetricSource), text
	}
	known := kind == string(v1alpha1.SourceKindClusterMetricSource) || kind == string(v1alpha1.SourceKindMetricSource)
	if !known || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil, fmt.Errorf("--source %q: write the name of a ClusterMetricSource, or MetricSource/NAME", text)
	}
	return &v1alpha1.SourceReference{Kind: v1alpha1.SourceKind(kind), Name: v1alpha1.Name(name)}, nil
}

func (p Program) convert(ctx context.Context, o convertOptions) error {
	options, err := o.check()
	if err != nil {
		return err
	}
	files, err := readAll(o.paths, p.In)
	if err != nil {
		return err
	}
	result := foreign.Convert(documentsOf(files), options)
	made, err := p.made(ctx, result, o.namespace)
	if err != nil {
		return err
	}
	p.tellConversion(result, made)
	return p.conclusion(o, made, result.Failed() || len(made.mistakes) > 0)
}

func documentsOf(files []file) []foreign.Document {
	var out []foreign.Document
	for _, f := range files {
		for _, d := range f.documents() {
			out = append(out, foreign.Document{File: d.file, Line: d.line, Text: d.text})
		}
	}
	return out
}

// conclusion prints what was made, unless a part of it would be taken for all.
func (p Program) conclusion(o convertOptions, of made, failed bool) error {
	switch {
	case failed && !o.skipInvalid:
		p.tell("nothing is printed: mend the errors, or give --skip-invalid to have the rest")
		return errInvalid
	case !failed && len(of.objects) == 0:
		p.tell("nothing was converted: no objective of %s is among the documents", o.from)
		return errInvalid
	}
	if err := p.writeConverted(o.output, of.objects); err != nil {
		return err
	}
	if failed {
		return errInvalid
	}
	return nil
}

// made is what of a conversion passes the checks of validate, and what does not.
type made struct {
	objects  []map[string]any
	mistakes []mistake
}

// made checks objects as the API server and the operator check them.
func (p Program) made(ctx context.Context, result foreign.Result, namespace string) (made, error) {
	found, err := newInventory(cmp.Or(namespace, "default"))
	if err != nil {
		return made{}, err
	}
	var all []map[string]any
	for _, o := range result.Objects {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Value)
		if err != nil {
			return made{}, fmt.Errorf("encode object: %w", err)
		}
		// Only the operator knows the status, and nobody when it will be created.
		delete(object, "status")
		delete(object["metadata"].(map[string]any), "creationTimestamp")
		all = append(all, object)
		found.takeObject(ctx, manifest{place: place{o.File, o.Line}, object: runtime.DeepCopyJSON(object)})
	}
	found.check(found.plan(found.objectives, p.Now()))
	out := made{mistakes: found.report()}
	for _, object := range all {
		kind, _ := object["kind"].(string)
		bare, namespace := found.nameOf(kind, manifest{object: object})
		if !slices.ContainsFunc(out.mistakes, func(m mistake) bool { return m.object == kind+" "+namespace+"/"+bare }) {
			out.objects = append(out.objects, object)
		}
	}
	return out, nil
}

// tellConversion tells what became of the fields, and how many of each there are.
func (p Program) tellConversion(result foreign.Result, of made) {
	counts := map[foreign.Severity]int{foreign.Failed: len(of.mistakes)}
	for _, note := range result.Notes {
		counts[note.Severity]++
		p.tell("%s", note)
	}
	for _, m := range of.mistakes {
		p.tell("%s: %s: %s: %s", m.place, foreign.Failed, m.object, m.fault)
	}
	p.tell("objects: %d, notes: %d, fields not converted: %d, errors: %d",
		len(of.objects), counts[foreign.Changed], counts[foreign.Dropped], counts[foreign.Failed])
}

// writeConverted prints the objects.
func (p Program) writeConverted(output string, objects []map[string]any) error {
	text, err := stream(objects)
	if output == outputJSON {
		text, err = encode(output, map[string]any{"apiVersion": "v1", "kind": "List", "items": append([]map[string]any{}, objects...)})
	}
	if err == nil {
		_, err = p.Out.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write objects: %w", err)
	}
	return nil
}
