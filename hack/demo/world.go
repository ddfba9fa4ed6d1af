package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	prometheusapi "github.com/prometheus/client_golang/api"
	prometheusv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/experience-slo/operator/hack/parts"
	"github.com/experience-slo/operator/hack/simulate"
)

const (
	historyDays    = 28
	historyStep    = 15 * time.Second
	scrapeInterval = 5 * time.Second
	// seed and the moment of the start make a run's traffic.
	seed = 2026
)

// startWorld writes the history, serves the living targets and starts a
// Prometheus that has both.
func (d *demo) startWorld(ctx context.Context) error {
	dir := d.folder("prometheus")
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return fmt.Errorf("make folder for Prometheus: %w", err)
	}
	d.say("writing %d days of history", historyDays)
	world := simulate.New(seed)
	// One more day, so that a window of 28 days is full from its first minute.
	err := world.WriteHistory(data, time.Now(), historyDays+1, historyStep, func(done, total int) {
		if done%7 == 0 || done == total {
			d.say("history: %d of %d blocks", done, total)
		}
	})
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	address, err := d.serve(ctx, world)
	if err != nil {
		return err
	}
	d.targets = len(world.Targets())
	d.prometheus, err = parts.StartPrometheus(ctx, parts.PrometheusOptions{
		Dir:        dir,
		ConfigYAML: world.ScrapeConfig(address, scrapeInterval),
		// With one block size there is nothing to compact: the written days stay as
		// they are, and nothing is busy in the background.
		Flags: []string{"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"},
	})
	if err != nil {
		return fmt.Errorf("start Prometheus: %w", err)
	}
	d.atEnd(d.prometheus.Stop)
	d.say("Prometheus at %s scrapes %d targets every %s", d.prometheus.URL, d.targets, scrapeInterval)
	return nil
}

// serve serves the world's living targets and returns their address.
func (d *demo) serve(ctx context.Context, world *simulate.World) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for scrapes: %w", err)
	}
	server := &http.Server{Handler: world, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	d.atEnd(func() error {
		err := server.Close()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, fmt.Errorf("serve targets: %w", ended))
		}
		return err
	})
	return listener.Addr().String(), nil
}

// awaitTargets waits until Prometheus has scraped every living target: history
// goes on.
func (d *demo) awaitTargets(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := prometheusapi.NewClient(prometheusapi.Config{Address: d.prometheus.URL})
	if err != nil {
		return fmt.Errorf("make Prometheus client: %w", err)
	}
	api := prometheusv1.NewAPI(c)
	err = poll(ctx, func() (bool, error) {
		answer, err := api.Targets(ctx)
		if err != nil {
			return false, fmt.Errorf("list targets: %w", err)
		}
		up := 0
		for _, t := range answer.Active {
			if t.Health == prometheusv1.HealthGood {
				up++
			}
		}
		return up == d.targets, nil
	})
	if err != nil {
		return fmt.Errorf("await scrapes: %w", err)
	}
	d.say("all %d targets are scraped", d.targets)
	return nil
}
