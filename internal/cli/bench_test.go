package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// thousand is a thousand objectives of one stream, each with alerts of its own
// words.
func thousand() string {
	var out strings.Builder
	for i := range 1000 {
		name := fmt.Sprintf("promise-%d", i)
		out.WriteString(manifestOf(name, fmt.Sprintf("events: {good: 'good_total{app=\"a%d\"}', total: 'all_total{app=\"a%d\"}'}", i, i), "99.5%",
			"  description: Nearly all of "+name+" works.\n  alerting: {page: {}, ticket: {annotations: {team: 'call {{ $labels.service }}'}}}"))
	}
	return out.String()
}

// BenchmarkThousand gives a thousand objectives to a command. The aim for one
// core is less than 2 s and 200 MB.
func BenchmarkThousand(b *testing.B) {
	stream := thousand()
	for _, args := range [][]string{{"render", "-f", "-"}, {"validate", "-f", "-"}} {
		b.Run(args[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var told bytes.Buffer
				p := Program{In: strings.NewReader(stream), Out: io.Discard, Err: &told, Now: func() time.Time { return now }}
				if code := p.Run(b.Context(), args); code != Done {
					b.Fatalf("ends with %d: %s", code, told.String())
				}
			}
		})
	}
}
