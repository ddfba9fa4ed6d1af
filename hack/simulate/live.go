package simulate

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP serves /targets/N/metrics, the page of one pod, in the Prometheus
// text format. Counters go on from where history ended, and traffic since the
// last request is drawn on the way.
func (w *World) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	number, ok := strings.CutSuffix(strings.TrimPrefix(request.URL.Path, "/targets/"), "/metrics")
	n, err := strconv.Atoi(number)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if !ok || err != nil || n < 0 || n >= len(w.alive) {
		http.NotFound(response, request)
		return
	}
	p := w.alive[n]
	if t := w.now(); t.After(p.at) {
		if at, ok := p.restarts(t); ok {
			p.reset(at)
		}
		p.advance(t)
	}
	response.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = response.Write(p.page()) // a scraper that hung up is nobody's error
}

// page is everything one pod shows.
func (p *process) page() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# TYPE %s gauge\n%s %s\n", startTime, startTime, formatValue(seconds(p.born)))
	next, typed := 0, map[string]bool{}
	for _, st := range p.service.streams {
		for _, s := range st.series {
			if family := st.familyOf(s); !typed[family] {
				fmt.Fprintf(&b, "# TYPE %s %s\n", family, st.kind)
				typed[family] = true
			}
			b.WriteString(s.name)
			b.WriteString(braces(s.labels))
			b.WriteString(" " + formatValue(p.values[next]) + "\n")
			next++
		}
	}
	return b.Bytes()
}

// familyOf names the metric family of one of the stream's series: a histogram is
// one family, counters and gauges go by their own names.
func (s *stream) familyOf(one series) string {
	if s.kind == "histogram" {
		return s.family
	}
	return one.name
}

// startTime is the metric of every client library that tells a young process
// from an old one.
const startTime = "process_start_time_seconds"

// seconds is t as Prometheus writes it, to the millisecond.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// formatValue writes a sample's value so that nothing is lost.
func formatValue(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// braces writes labels as the text format does.
func braces(labels []pair) string {
	if len(labels) == 0 {
		return ""
	}
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = fmt.Sprintf("%s=%q", l.name, l.value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}
