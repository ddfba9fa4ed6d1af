package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/experience-slo/operator/api/v1alpha1"
)

// errNoCluster says that nobody named a cluster.
var errNoCluster = errors.New("no cluster is known: there is no kubeconfig; name one with --kubeconfig or KUBECONFIG, or a server with --server")

// ErrNotInstalled says that the cluster does not know the kinds.
var ErrNotInstalled = errors.New("the kinds of " + v1alpha1.GroupVersion.Group + " are not installed in this cluster: run kubectl apply --server-side -k config/default")

// ErrNotFound says that there is no object of the name.
var ErrNotFound = errors.New("not found")

// ErrForbidden says that whoever asks has no right to.
var ErrForbidden = errors.New("forbidden")

// ErrUnreachable says that the API server does not answer; it may later.
var ErrUnreachable = errors.New("unreachable")

// request is what the API server was asked for.
type request struct {
	verb, resource, namespace, name string
}

// String gives "get objectives shop/page-speed".
func (r request) String() string {
	target := strings.Trim(r.namespace+"/"+r.name, "/")
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", r.verb, r.resource, target))
}

// fault is an error that tells what to do.
type fault struct {
	kind  error
	text  string
	cause error
}

// Error gives the text for people.
func (f *fault) Error() string { return f.text }

// Unwrap gives the kind of the fault, for errors.Is, and its cause.
func (f *fault) Unwrap() []error { return []error{f.kind, f.cause} }

// word says what to do about an error of a request.
func (c *Cluster) word(r request, err error) error {
	var unknown *net.DNSError
	var refused *net.OpError
	var broken *url.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case apierrors.IsUnauthorized(err):
		return &fault{ErrForbidden, fmt.Sprintf("%s: %s does not accept the credentials: log in again, or name others with --context or --user", r, c.Host), err}
	case apierrors.IsForbidden(err):
		return &fault{ErrForbidden, fmt.Sprintf("%s: it is not allowed: ask for a role with the verb %q on %q in %s; see %s",
			r, r.verb, r.qualified(), r.where(), r.question()), err}
	case notInstalled(err):
		return ErrNotInstalled
	case apierrors.IsNotFound(err):
		return &fault{ErrNotFound, fmt.Sprintf("%s: there is none of that name", r), err}
	case errors.As(err, &unknown), errors.As(err, &refused), errors.As(err, &broken):
		return &fault{ErrUnreachable, fmt.Sprintf("%s: the API server at %s does not answer: %v: check the address in the kubeconfig and the network", r, c.Host, innermost(err)), err}
	default:
		return fmt.Errorf("%s: %w", r, err)
	}
}

// notInstalled says of "not found" that the kind is meant, not an object of it.
func notInstalled(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// innermost is the error that says what happened, without what was tried.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// qualified is the resource with its group, as kubectl auth can-i takes it.
func (r request) qualified() string {
	if r.resource == namespaceResource {
		return r.resource
	}
	return r.resource + "." + v1alpha1.GroupVersion.Group
}

// question is how to ask kubectl for the right to a request.
func (r request) question() string {
	out := "kubectl auth can-i " + r.verb + " " + r.qualified()
	if r.namespace == "" {
		return out + " -A"
	}
	return out + " -n " + r.namespace
}

func (r request) where() string {
	if r.namespace == "" {
		return "the whole cluster"
	}
	return fmt.Sprintf("namespace %q", r.namespace)
}

// transient says of an error that the same request may succeed in a moment.
func transient(err error) bool {
	return errors.Is(err, ErrUnreachable) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsInternalError(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err)
}
