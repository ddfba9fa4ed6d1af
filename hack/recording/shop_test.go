package recording_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// shop is a process that serves requests, and may restart in place: its counters
// then begin at zero again.
type shop struct {
	mutex sync.Mutex
	born  time.Time
}

const requestsPerSecond = 7

func newShop() *shop { return &shop{born: time.Now()} }

func (s *shop) restart() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.born = time.Now()
}

// ServeHTTP is the page of metrics. One request in eleven fails.
func (s *shop) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	total := int(time.Since(s.born).Seconds() * requestsPerSecond)
	bad := total / 11
	var text strings.Builder
	fmt.Fprintf(&text, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %d\n", s.born.Unix())
	fmt.Fprintf(&text, "# TYPE shop_requests_total counter\nshop_requests_total{code=\"200\"} %d\n", total-bad)
	if bad > 0 {
		fmt.Fprintf(&text, "shop_requests_total{code=\"500\"} %d\n", bad)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = w.Write([]byte(text.String())) // a scraper that hung up is nobody's error
}
