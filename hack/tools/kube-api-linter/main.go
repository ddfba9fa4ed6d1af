// Command kube-api-linter checks Go types that become custom resources against
// the Kubernetes API conventions, for example: kube-api-linter ./api/...
package main

import (
	"log"

	"golang.org/x/tools/go/analysis/multichecker"
	"sigs.k8s.io/kube-api-linter/pkg/analysis/registry"
	"sigs.k8s.io/kube-api-linter/pkg/config"
	_ "sigs.k8s.io/kube-api-linter/pkg/registration" // fills the default registry
)

func main() {
	analyzers, err := registry.DefaultRegistry().InitializeLinters(rules, settings)
	if err != nil {
		log.Fatalf("set up linters: %v", err)
	}
	multichecker.Main(analyzers...)
}

// rules adds what only custom resources can follow to the linter's defaults.
// Left out: minlength, because a list, a map or a status string may be empty, and
// nobools, because a plain switch like "suspend" is one.
var rules = config.Linters{
	Enable: []string{"maxlength", "statusoptional", "statussubresource"},
	Disable: []string{
		"nodurations",       // a duration reads "28d" in YAML, like in Prometheus
		"nonpointerstructs", // for built-in types; a CRD's schema says what is required
		"optionalfields",    // refuses the pointers that tell a union's members apart
		"requiredfields",    // takes a union, checked by CEL, and a time for optional
	},
}

// settings are those of custom resources: no protobuf, and defaults that
// controller-gen writes into the schema.
var settings = config.LintersConfig{
	"conditions": map[string]any{"useProtobuf": "Forbid", "usePatchStrategy": "Ignore", "isFirstField": "Ignore"},
	"defaults":   map[string]any{"preferredDefaultMarker": "kubebuilder:default"},
	"nomaps":     map[string]any{"policy": "AllowStringToStringMaps"},
}
