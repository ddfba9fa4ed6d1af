package parts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"k8s.io/client-go/rest"
)

// adminToken is the bearer token of the admin. It guards nothing: the API server
// listens on the loopback interface and lives as long as its test.
const adminToken = "admin-of-a-throwaway-api-server" //nolint:gosec // as above

// ControlPlaneOptions says how to start a control plane. The zero value is good.
type ControlPlaneOptions struct {
	// Dir keeps data, certificates and logs. Empty: a temporary folder that Stop
	// removes. A control plane started again in the same folder has its objects.
	Dir string
	// Audit has the API server log each request, without bodies, to AuditLog.
	Audit bool
	// Flags are added to the API server's, and win over the ones it has.
	Flags []string
}

// ControlPlane is a running etcd and kube-apiserver, with RBAC. There is no
// scheduler, no kubelet and no controller manager: nothing runs Pods, collects
// garbage or makes service accounts.
type ControlPlane struct {
	// Config connects as a member of system:masters, without client-side limits.
	Config *rest.Config
	// Kubeconfig is the path of a file with the same access.
	Kubeconfig string
	// AuditLog is the path that ReadAudit reads; empty without ControlPlaneOptions.Audit.
	AuditLog string
	// Dir holds data, certificates and logs.
	Dir string

	bin       Binaries
	temporary bool
	etcd, api *process
}

// StartControlPlane starts an etcd and a kube-apiserver and returns when the API
// server is ready and has its default namespace. ctx bounds the start only; the
// caller stops what was started.
func StartControlPlane(ctx context.Context, o ControlPlaneOptions) (*ControlPlane, error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{bin: bin}
	if c.Dir, c.temporary, err = stateDir(o.Dir, "control-plane"); err != nil {
		return nil, err
	}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context, o ControlPlaneOptions) error {
	files, err := c.writeFiles(o.Audit)
	if err != nil {
		return err
	}
	var etcdURL string
	err = onFreePort(func(port int) error {
		etcdURL = loopback("http", port)
		return c.startEtcd(ctx, etcdURL)
	})
	if err != nil {
		return err
	}
	err = onFreePort(func(port int) error { return c.startAPIServer(ctx, port, etcdURL, files, o.Flags) })
	if err != nil {
		return err
	}
	c.Kubeconfig = filepath.Join(c.Dir, "kubeconfig")
	return WriteKubeconfig(c.Kubeconfig, c.Config)
}

// As returns access as another user, by impersonation: RBAC judges that user and
// those groups. A service account is system:serviceaccount:NAMESPACE:NAME in the
// groups system:serviceaccounts and system:serviceaccounts:NAMESPACE.
func (c *ControlPlane) As(user string, groups ...string) *rest.Config {
	config := rest.CopyConfig(c.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	return config
}

// Stop ends both programs and removes the folder if it was a temporary one. It
// can be called more than once.
func (c *ControlPlane) Stop() error {
	var errs []error
	if c.api != nil {
		// It keeps nothing that etcd does not have, and a polite end waits for
		// every open watch.
		errs = append(errs, c.api.stop(syscall.SIGKILL))
	}
	if c.etcd != nil {
		errs = append(errs, c.etcd.stop(syscall.SIGTERM))
	}
	if c.temporary {
		errs = append(errs, os.RemoveAll(c.Dir))
	}
	return errors.Join(errs...)
}

func (c *ControlPlane) startEtcd(ctx context.Context, url string) error {
	var err error
	c.etcd, err = spawn(c.Dir, c.bin.command(Etcd,
		"--data-dir", filepath.Join(c.Dir, "etcd"),
		"--listen-client-urls", url,
		"--advertise-client-urls", url,
		"--listen-peer-urls", "http://127.0.0.1:0",
		"--unsafe-no-fsync",
		"--log-level", "warn",
	))
	if err != nil {
		return err
	}
	return c.etcd.await(ctx, answers(http.DefaultClient, url+"/readyz"))
}

func (c *ControlPlane) startAPIServer(ctx context.Context, port int, etcdURL string, f files, flags []string) error {
	args := append([]string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + f.certDir,
		"--token-auth-file=" + f.tokens,
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.serviceAccountKey,
		"--service-account-signing-key-file=" + f.serviceAccountKey,
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none",
		"--profiling=false",
	}, auditFlags(f)...)
	var err error
	if c.api, err = spawn(c.Dir, c.bin.command(APIServer, append(args, flags...)...)); err != nil {
		return err
	}
	return c.api.await(ctx, func(ctx context.Context) error { return c.connect(ctx, loopback("https", port), f) })
}

// connect sets Config once the API server has written its certificate, and fails
// until it is ready for users.
func (c *ControlPlane) connect(ctx context.Context, url string, f files) error {
	ca, err := os.ReadFile(filepath.Join(f.certDir, "apiserver.crt"))
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	config := &rest.Config{Host: url, BearerToken: adminToken, QPS: -1, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		if err := answers(client, url+path)(ctx); err != nil {
			return err
		}
	}
	c.Config = config
	return nil
}
