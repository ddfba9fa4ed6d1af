package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

const (
	// fieldOwner is the operator's name among those who apply fields.
	fieldOwner = client.FieldOwner("experience-slo")
	// contentAnnotation is a digest of what was applied. It tells a label that the
	// operator no longer wants from one that somebody else put there.
	contentAnnotation = "experience.slo/content"
)

var prometheusRules = monitoringv1.SchemeGroupVersion.WithResource(monitoringv1.PrometheusRuleName)

// newSinkClient makes a client that reads from the API server itself and knows
// its kinds without asking, so that it can speak of PrometheusRules before their
// definition is installed, and after it was removed.
func newSinkClient(mgr ctrl.Manager) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register core kinds: %w", err)
	}
	if err := monitoringv1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register monitoring kinds: %w", err)
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(monitoringv1.SchemeGroupVersion.WithKind(monitoringv1.PrometheusRuleKind), meta.RESTScopeNamespace)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("ConfigMap"), meta.RESTScopeNamespace)
	live, err := client.New(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("make client of sinks: %w", err)
	}
	return live, nil
}

// applyTo writes an object by server-side apply and reads back what the server
// made of it.
func applyTo[T client.Object](ctx context.Context, live client.Client, want T) (T, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(want)
	if err != nil {
		return want, fmt.Errorf("convert %s: %w", want.GetName(), err)
	}
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	if err := live.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership); err != nil {
		return want, err
	}
	got, _ := want.DeepCopyObject().(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, got); err != nil {
		return want, fmt.Errorf("read %s: %w", want.GetName(), err)
	}
	return got, nil
}

// remove deletes an object that was read, unless another took its name since.
func remove(ctx context.Context, live client.Client, o client.Object) error {
	uid := o.GetUID()
	err := live.Delete(ctx, o, client.Preconditions{UID: &uid})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// sign puts a digest of an object on the object.
func sign(o client.Object) error {
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode %s: %w", o.GetName(), err)
	}
	annotations := map[string]string{contentAnnotation: digest(string(text))}
	maps.Copy(annotations, o.GetAnnotations())
	o.SetAnnotations(annotations)
	return nil
}

// digest is a short name for a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// marked says whether an object has the operator's labels and annotations, as
// those of another.
func marked(o, want client.Object) bool {
	return contains(o.GetLabels(), want.GetLabels()) && contains(o.GetAnnotations(), want.GetAnnotations())
}

func contains(all, some map[string]string) bool {
	for name, value := range some {
		if got, ok := all[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// isOurs says whether the operator made an object.
func isOurs(o metav1.Object) bool { return o.GetLabels()[rules.ManagedBy] == rules.Manager }

// refusal says why the API server did not take an object. It has no reason where
// trying again may help.
func refusal(err error) (reason, message string) {
	webhook := strings.Contains(err.Error(), "admission webhook")
	switch {
	case webhook, apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return v1alpha1.ReasonRulesRejected, err.Error()
	case apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return v1alpha1.ReasonSinkForbidden, ""
	case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err), meta.IsNoMatchError(err):
		return v1alpha1.ReasonSinkUnavailable, ""
	default:
		return "", ""
	}
}
