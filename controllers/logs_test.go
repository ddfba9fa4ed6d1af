package controllers_test

import (
	"bytes"
	"sync"
	"testing"

	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// capture keeps all that is logged, at every level, while a test wants it.
type capture struct {
	mu   sync.Mutex
	on   bool
	kept bytes.Buffer
}

// start keeps what is logged until the test ends.
func (c *capture) start(t *testing.T) {
	t.Helper()
	c.set(true)
	t.Cleanup(func() { c.set(false) })
}

func (c *capture) set(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = on
	c.kept.Reset()
}

// Enabled implements zapcore.LevelEnabler.
func (c *capture) Enabled(zapcore.Level) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on
}

// Write implements zapcore.WriteSyncer.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.Write(p)
}

// Sync implements zapcore.WriteSyncer.
func (c *capture) Sync() error { return nil }

// String is what was logged.
func (c *capture) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept.String()
}

// beside has a logger write here too.
func (c *capture) beside(core zapcore.Core) zapcore.Core {
	encoder := zapcore.NewJSONEncoder(uberzap.NewProductionEncoderConfig())
	return zapcore.NewTee(core, zapcore.NewCore(encoder, c, c))
}
