package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/experience-slo/operator/hack/parts"
)

// demo is everything that runs, and how to end it.
type demo struct {
	out   io.Writer
	began time.Time
	mutex sync.Mutex // guards out and ends
	ends  []func() error

	dir        string // of this run, removed at the end
	bin        parts.Binaries
	cluster    *parts.ControlPlane
	objects    client.Client
	prometheus *parts.Prometheus
	operator   *parts.Program
	targets    int // that Prometheus scrapes
}

func newDemo(out io.Writer) *demo { return &demo{out: out, began: time.Now()} }

// run is the whole demo. Whatever it started is ended by close.
func (d *demo) run(ctx context.Context, once bool) error {
	if err := d.prepare(); err != nil {
		return err
	}
	group, starting := errgroup.WithContext(ctx)
	group.Go(func() error { return d.startWorld(starting) })
	group.Go(func() error { return d.startCluster(starting) })
	if err := group.Wait(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		d.startManager, d.applyPromises, d.awaitVerdicts, d.awaitJourneys, d.awaitTargets, d.show, d.showStatus, d.showGates, d.showNext,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if once {
		return nil
	}
	d.say("running until Ctrl-C")
	<-ctx.Done()
	d.say("cleaning up")
	return nil
}

// prepare finds the programs and makes a folder for this run.
func (d *demo) prepare() error {
	var err error
	if d.bin, err = parts.Find(); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "experience-slo-demo-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	d.atEnd(func() error { return os.RemoveAll(d.dir) })
	return nil
}

// folder is where one part keeps its files.
func (d *demo) folder(part string) string { return filepath.Join(d.dir, part) }

// say prints a line of progress with the seconds since the start.
func (d *demo) say(format string, values ...any) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	_, _ = fmt.Fprintf(d.out, "%6.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, values...))
}

// atEnd has close call end, after everything that was started later.
func (d *demo) atEnd(end func() error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.ends = append(d.ends, end)
}

// close ends everything that was started, last first.
func (d *demo) close() error {
	d.mutex.Lock()
	ends := d.ends
	d.ends = nil
	d.mutex.Unlock()
	var errs []error
	for _, end := range slices.Backward(ends) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}
