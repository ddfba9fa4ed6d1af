package rules

import (
	"crypto/sha256"
	"encoding/hex"

	"k8s.io/apimachinery/pkg/types"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/compile"
)

// ConfigMapPrefix begins the names of the ConfigMaps with the rules of a source's
// objectives in one namespace. A namespace has no dot, so that no two sources or
// namespaces have the same.
func ConfigMapPrefix(source compile.SourceKey, namespace string) string {
	kind := "experience-rules."
	if source.Kind == v1alpha1.SourceKindClusterMetricSource {
		kind = "experience-cluster-rules."
	}
	return kind + Bounded(source.Name, 150) + "." + namespace
}

// FileName is the key of an objective's rule file in a ConfigMap, which has at
// most 253 characters.
func FileName(objective types.NamespacedName) string {
	return objective.Namespace + "." + Bounded(objective.Name, 180) + ".yaml"
}

// JourneyFileName is the key of a journey's rule file. A namespace has no capital, so
// that no objective has the same.
func JourneyFileName(journey types.NamespacedName) string { return "Journey." + FileName(journey) }

// Bounded shortens a name of more bytes than length, which is at least 17, to one
// that no other name has.
func Bounded(name string, length int) string {
	if len(name) <= length {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	digest := hex.EncodeToString(sum[:8])
	return name[:length-len(digest)-1] + "-" + digest
}
