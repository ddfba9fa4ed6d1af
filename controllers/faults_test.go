package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/parts"
)

func events(in v1alpha1.EventsIndicator) func(*v1alpha1.ObjectiveSpec) {
	return indicator(v1alpha1.ObjectiveIndicator{Events: &in})
}

func queries(points, all v1alpha1.PromQL) func(*v1alpha1.ObjectiveSpec) {
	return indicator(v1alpha1.ObjectiveIndicator{Queries: &v1alpha1.QueriesIndicator{Points: points, Events: all}})
}

// hold puts the clock to where a minute is the last one that a source with the
// default delay is asked for. It stands still before the next one can be, however
// slow the machine is.
func (c *shifted) hold(minute time.Time) {
	c.end.Store(0)
	c.by.Store(int64(time.Until(minute) + defaultDelay + time.Second))
	c.end.Store(minute.Add(defaultDelay + 55*time.Second).UnixNano())
}

// defaultDelay is how long after its end a minute is asked for.
const defaultDelay = 30 * time.Second

// worded puts conditions as "Status Reason: message" by their type.
func worded(conditions []metav1.Condition) map[string]string {
	out := map[string]string{}
	for _, c := range conditions {
		out[c.Type] = string(c.Status) + " " + c.Reason + ": " + c.Message
	}
	return out
}

// patch merges a change into an object.
func patch(t testing.TB, o client.Object, change string) {
	t.Helper()
	if err := env.admin.Patch(context.Background(), o, client.RawPatch(types.MergePatchType, []byte(change))); err != nil {
		t.Fatalf("patch %s: %v", o.GetName(), err)
	}
}

// operatorRequests gives the requests that the API server answered to operators
// so far.
func operatorRequests(t testing.TB) []parts.AuditEvent {
	t.Helper()
	all, err := parts.ReadAudit(env.plane.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	var out []parts.AuditEvent
	for _, e := range all {
		if e.ImpersonatedUser.Name == operatorUser {
			out = append(out, e)
		}
	}
	return out
}

// watch counts the writes to an objective from its version on, up to one after
// which a condition holds.
func watch(t testing.TB, o *v1alpha1.Objective) func(until func(*v1alpha1.Objective) bool) int {
	t.Helper()
	changes, err := env.admin.Watch(context.Background(), &v1alpha1.ObjectiveList{}, &client.ListOptions{
		Namespace: o.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", o.Name),
		Raw: &metav1.ListOptions{ResourceVersion: o.ResourceVersion},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(changes.Stop)
	return func(until func(*v1alpha1.Objective) bool) int {
		t.Helper()
		for count := 1; ; count++ {
			select {
			case e := <-changes.ResultChan():
				if now, ok := e.Object.(*v1alpha1.Objective); ok && until(now) {
					return count
				}
			case <-time.After(patience):
				t.Fatalf("%s: the awaited write did not come", o.Name)
			}
		}
	}
}

// annotation is the change that asks for another look at an object.
func annotation(value string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.ReconcileRequestAnnotation, value)
}

func secret(namespace, name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: data}
}

// bindReader lets the operator read the Secrets and ConfigMaps of a namespace.
func bindReader(t testing.TB, ns string) {
	t.Helper()
	const role = "experience-slo-source-reader"
	out, err := env.kubectl("create", "rolebinding", role, "--clusterrole="+role,
		"--serviceaccount="+operatorNamespace+":"+operatorAccount, "--namespace="+ns)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// silent takes what servers log of the faults that clients meet.
var silent = log.New(io.Discard, "", 0)

// certified is a certificate for the loopback address that is its own authority.
type certified struct {
	pair tls.Certificate
	pem  string
}

// certificate makes one that is valid until a time, for names instead of the
// address where some are given.
func certificate(t testing.TB, until time.Time, names ...string) certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-24 * time.Hour), NotAfter: until, DNSNames: names,
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return certified{
		pair: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem:  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
	}
}
