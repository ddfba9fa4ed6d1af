package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestFollow gives ticks by hand: what is told is how far the work was.
func TestFollow(t *testing.T) {
	cases := map[string]struct {
		reason string
		// args are what happens: f is a thing finished, t a tick.
		args string
		want string
	}{
		"Quick":  {reason: "who is quick says nothing", args: "fff"},
		"Slow":   {reason: "who is slow says how far it is", args: "ftft" + "f", want: "1 of 3 done\n2 of 3 done\n"},
		"Stuck":  {reason: "and does not say the same again", args: "tttfff", want: "0 of 3 done\n"},
		"AtOnce": {reason: "a tick tells of all until then", args: "fftf", want: "2 of 3 done\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var told bytes.Buffer
			finished, ticks, ended := make(chan struct{}), make(chan time.Time), make(chan struct{})
			go func() {
				Program{Err: &told}.follow(finished, ticks, 3, "done")
				close(ended)
			}()
			for _, event := range tc.args {
				if event == 'f' {
					finished <- struct{}{}
				} else {
					ticks <- time.Time{}
				}
			}
			<-ended
			if diff := cmp.Diff(tc.want, told.String()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPatiently tells what is waited for, once it takes longer than a moment.
func TestPatiently(t *testing.T) {
	var told safeBuffer
	p := Program{Err: &told, Patience: time.Millisecond}
	p.patiently("asking in vain")()
	stop := p.patiently("asking for long")
	defer stop()
	eventually(t, "what takes long is told", func() bool { return told.String() == "asking for long\n" })
}
