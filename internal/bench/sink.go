package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stampMark stands before the moment at which an event was handed in, in nanoseconds, inside its message. The receiver
// finds it in the body and knows how long the event took.
const stampMark = "handed in at "

// Paths of the receiver: what stands behind the prefix names the destination.
const (
	pathHealthy = "/ok/"
	pathFailing = "/fail/"
	pathHanging = "/hang/"
)

// Arrivals is what a receiver saw since it was last asked to forget.
type Arrivals struct {
	Healthy   int64     `json:"healthy"`
	Failing   int64     `json:"failing"`
	Hanging   int64     `json:"hanging"`
	P50       float64   `json:"p50_ms"` // from hand-in to arrival at healthy destinations
	P99       float64   `json:"p99_ms"`
	Max       float64   `json:"max_ms"`
	FirstAt   time.Time `json:"first_at"`
	LastAt    time.Time `json:"last_at"`
	Unstamped int64     `json:"unstamped"`
	Bytes     int64     `json:"bytes"` // of bodies at healthy destinations
}

// Sink is a receiver that answers at once, with an error, or never, by the path that is called.
type Sink struct {
	mu      sync.Mutex
	seen    Arrivals
	samples []int64 // nanoseconds
	hang    time.Duration
}

// NewSink returns a receiver whose hanging paths hold a request for the duration.
func NewSink(hang time.Duration) *Sink { return &Sink{hang: hang} }

// Serve answers on the listener until ctx ends.
func (s *Sink) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// ServeHTTP takes a notification, or answers what arrived (GET /arrivals; GET /count without the percentiles, which cost
// time) and forgets it (DELETE /arrivals).
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/arrivals" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.arrivals())
	case r.URL.Path == "/count":
		s.mu.Lock()
		seen := s.seen
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(seen)
	case r.URL.Path == "/arrivals" && r.Method == http.MethodDelete:
		s.forget()
	case strings.HasPrefix(r.URL.Path, pathHanging):
		s.count(func(a *Arrivals) { a.Hanging++ })
		select {
		case <-time.After(s.hang):
		case <-r.Context().Done():
		}
	case strings.HasPrefix(r.URL.Path, pathFailing):
		_, _ = io.Copy(io.Discard, r.Body)
		s.count(func(a *Arrivals) { a.Failing++ })
		w.WriteHeader(http.StatusInternalServerError)
	default:
		s.take(r.Body)
	}
}

// bodies recycles the buffers that notifications are read into.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// take reads a notification and notes how long it took.
func (s *Sink) take(body io.Reader) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	_, _ = buffer.ReadFrom(body)
	now := time.Now()
	took, stamped := elapsed(buffer.Bytes(), now)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Healthy++
	s.seen.Bytes += int64(buffer.Len())
	if s.seen.FirstAt.IsZero() {
		s.seen.FirstAt = now
	}
	s.seen.LastAt = now
	if !stamped {
		s.seen.Unstamped++
		return
	}
	s.samples = append(s.samples, took.Nanoseconds())
}

// elapsed finds the stamp in a body.
func elapsed(body []byte, now time.Time) (time.Duration, bool) {
	at := bytes.Index(body, []byte(stampMark))
	if at < 0 {
		return 0, false
	}
	digits := body[at+len(stampMark):]
	end := bytes.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	if end <= 0 {
		return 0, false
	}
	ns, err := strconv.ParseInt(string(digits[:end]), 10, 64)
	if err != nil {
		return 0, false
	}
	return now.Sub(time.Unix(0, ns)), true
}

func (s *Sink) count(add func(*Arrivals)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.seen)
}

func (s *Sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.samples = Arrivals{}, s.samples[:0]
}

// arrivals computes the percentiles of what was seen.
func (s *Sink) arrivals() Arrivals {
	s.mu.Lock()
	seen, samples := s.seen, slices.Clone(s.samples)
	s.mu.Unlock()
	slices.Sort(samples)
	seen.P50, seen.P99, seen.Max = percentile(samples, 0.50), percentile(samples, 0.99), percentile(samples, 1)
	return seen
}

// percentile returns a share's value of sorted nanoseconds, in milliseconds.
func percentile(sorted []int64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := min(int(share*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[at]) / 1e6
}
