package v1alpha1

import "strings"

// MaxRequest is how many bytes of a request the status repeats.
const MaxRequest = 128

// RequestOf is what the annotations of an object ask for, as its status repeats
// it: the beginning of what is too long, in whole characters. Half of one would
// be stored as another character, and look like another request for ever.
func RequestOf(annotations map[string]string) string {
	request := annotations[ReconcileRequestAnnotation]
	return strings.ToValidUTF8(request[:min(len(request), MaxRequest)], "")
}
