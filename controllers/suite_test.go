package controllers_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/controllers"
	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
	"github.com/experience-slo/operator/internal/metrics"
)

const (
	operatorNamespace = "experience-slo-system"
	operatorAccount   = "experience-slo-controller-manager"
	operatorUser      = "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount

	// historyDays is the length of the history that the tests' Prometheus holds.
	historyDays = 28
	// scrape is its scrape interval for websites.
	scrape = 15 * time.Second
)

// suite is what all tests of the package share: a real API server with the
// operator's resources and roles installed, and a real Prometheus with four
// weeks of history that ends when the tests begin.
type suite struct {
	plane  *parts.ControlPlane
	prom   *parts.Prometheus
	world  *simulate.World
	until  time.Time
	admin  client.WithWatch
	scheme *runtime.Scheme
	dir    string
	logs   capture
}

var env suite

func TestMain(m *testing.M) {
	code, err := env.run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "set up tests:", err)
		code = 1
	}
	os.Exit(code)
}

func (s *suite) run(m *testing.M) (code int, err error) {
	logf.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.UseDevMode(true), zap.Level(zapLevel()), zap.StacktraceLevel(zapcore.PanicLevel),
		zap.RawZapOpts(uberzap.WrapCore(s.logs.beside))))
	if s.dir, err = os.MkdirTemp("", "experience-slo-controllers-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(s.dir) //nolint:errcheck // a temporary folder
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := s.start(ctx); err != nil {
		return 1, err
	}
	defer s.plane.Stop() //nolint:errcheck // the process ends
	defer s.prom.Stop()  //nolint:errcheck // the process ends
	return m.Run(), nil
}

// zapLevel shows errors alone, unless the tests are asked for more.
func zapLevel() zapcore.Level {
	if os.Getenv("VERBOSE") != "" {
		return -1
	}
	return 2
}

func (s *suite) start(ctx context.Context) (err error) {
	s.scheme = runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s.scheme))
	utilruntime.Must(v1alpha1.AddToScheme(s.scheme))
	if s.plane, err = parts.StartControlPlane(ctx, parts.ControlPlaneOptions{Audit: true}); err != nil {
		return err
	}
	if s.admin, err = client.NewWithWatch(s.plane.Config, client.Options{Scheme: s.scheme}); err != nil {
		return err
	}
	if out, err := s.kubectl("apply", "--server-side", "-k", filepath.Join("..", "config", "default")); err != nil {
		return fmt.Errorf("install config/default: %w: %s", err, out)
	}
	// History ends before the last minute that is read.
	s.until = time.Now().UTC().Add(-time.Minute).Truncate(time.Minute)
	s.world = simulate.New(7)
	data := filepath.Join(s.dir, "prometheus")
	if err := s.world.WriteHistory(filepath.Join(data, "data"), s.until, historyDays, scrape, nil); err != nil {
		return err
	}
	s.prom, err = parts.StartPrometheus(ctx, parts.PrometheusOptions{Dir: data, ScrapeInterval: time.Minute})
	return err
}

// kubectl runs the real kubectl as the admin.
func (s *suite) kubectl(args ...string) (string, error) {
	bin, err := parts.Find()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(bin.Path(parts.Kubectl), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.plane.Kubeconfig)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// shifted is the real clock, put forward.
type shifted struct {
	clock.RealClock
	by atomic.Int64
	// end is where it stands still, in Unix nanoseconds; zero lets it run on.
	end atomic.Int64
}

func (c *shifted) Now() time.Time {
	now := time.Now().Add(time.Duration(c.by.Load()))
	if end := c.end.Load(); end != 0 && now.UnixNano() > end {
		return time.Unix(0, end)
	}
	return now
}

func (c *shifted) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// forward puts the clock forward from now on.
func (c *shifted) forward(d time.Duration) {
	c.end.Store(0)
	c.by.Add(int64(d))
}

// operator is a running manager.
type operator struct {
	clock    *shifted
	registry *prometheus.Registry
	stop     func()
}

// startOperator runs the controllers as the operator's service account, with
// nothing but its shipped roles, until the test ends or stop is called.
func startOperator(t testing.TB) *operator {
	t.Helper()
	return startOperatorBy(t, &shifted{})
}

// startOperatorBy is startOperator with a clock that was put somewhere before.
func startOperatorBy(t testing.TB, by *shifted) *operator {
	t.Helper()
	op := &operator{clock: by, registry: prometheus.NewRegistry()}
	mgr, err := ctrl.NewManager(env.plane.As(operatorUser, "system:serviceaccounts", "system:authenticated"), ctrl.Options{
		Scheme:     env.scheme,
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
		Client:     client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := controllers.Setup(mgr, controllers.Options{
		Namespace: operatorNamespace, ServiceAccount: operatorAccount,
		Recorder: metrics.New(op.registry), Clock: op.clock,
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	op.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run manager: %v", err)
		}
		op.stop = func() {}
	}
	t.Cleanup(func() { op.stop() })
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the caches did not sync")
	}
	return op
}

// namespace makes a namespace for a test and empties it when the test ends.
func namespace(t testing.TB, name string) string {
	t.Helper()
	ctx := context.Background()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := env.admin.Create(ctx, ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, kind := range []client.Object{&v1alpha1.Gate{}, &v1alpha1.Journey{}, &v1alpha1.Exclusion{}, &v1alpha1.Calendar{}, &v1alpha1.Objective{}, &v1alpha1.MetricSource{}, &v1alpha1.Indicator{}} {
			if err := env.admin.DeleteAllOf(ctx, kind, client.InNamespace(name)); err != nil {
				t.Errorf("empty namespace: %v", err)
			}
		}
	})
	return name
}

// create makes objects and fails the test when one is refused.
func create(t testing.TB, objects ...client.Object) {
	t.Helper()
	for _, o := range objects {
		if err := env.admin.Create(context.Background(), o); err != nil {
			t.Fatalf("create %s: %v", o.GetName(), err)
		}
	}
}

// proxy stands before Prometheus and fails as told.
type proxy struct {
	*httptest.Server
	// broken answers in the place of Prometheus while it is set.
	broken atomic.Pointer[http.HandlerFunc]
}

func newProxy(t testing.TB) *proxy {
	t.Helper()
	target, err := url.Parse(env.prom.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken := p.broken.Load(); broken != nil {
			// The server notices that the client is gone once the body is read,
			// which parsing does.
			_ = r.ParseForm()
			(*broken)(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(p.end)
	return p
}

// end closes the proxy although an operator may still be asking: a question that
// came while connections were being closed would hang, and Close wait for it.
func (p *proxy) end() {
	p.fail(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "closing", http.StatusServiceUnavailable) })
	closed := make(chan struct{})
	go func() {
		p.Close()
		close(closed)
	}()
	for {
		p.CloseClientConnections()
		select {
		case <-closed:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fail has the proxy answer by itself; nil mends it.
func (p *proxy) fail(h http.HandlerFunc) {
	if h == nil {
		p.broken.Store(nil)
		return
	}
	p.broken.Store(&h)
}
