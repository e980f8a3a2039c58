package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// metrics counts what came in. The counters of every label are looked up once.
type metrics struct {
	accepted   map[event.Kind]prometheus.Counter
	duplicates map[event.Kind]prometheus.Counter
	deliveries map[string]prometheus.Counter
	seconds    prometheus.Histogram
	late       prometheus.Counter
	conflicts  prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, dialects map[string]dialect.Dialect) *metrics {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "carillon_events_total", Help: "Events taken in, by kind and outcome: stored, or known already.",
	}, []string{"kind", "outcome"})
	deliveries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "carillon_deliveries_accepted_total", Help: "Deliveries that events caused, by dialect.",
	}, []string{"dialect"})
	m := &metrics{
		accepted: map[event.Kind]prometheus.Counter{}, duplicates: map[event.Kind]prometheus.Counter{},
		deliveries: map[string]prometheus.Counter{},
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carillon_accept_duration_seconds", Help: "Time to place, match and store the events of one request.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_events_late_total", Help: "Steps of runs that arrived after a later step.",
		}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_event_recounts_total", Help: "Events whose number in the run was taken, and that were counted again.",
		}),
	}
	for _, kind := range event.Kinds() {
		m.accepted[kind] = events.WithLabelValues(string(kind), "stored")
		m.duplicates[kind] = events.WithLabelValues(string(kind), "duplicate")
	}
	for name := range dialects {
		m.deliveries[name] = deliveries.WithLabelValues(name)
	}
	if registry != nil {
		registry.MustRegister(events, deliveries, m.seconds, m.late, m.conflicts)
	}
	return m
}

func (m *metrics) took(d time.Duration) { m.seconds.Observe(d.Seconds()) }

func (m *metrics) duplicate(kind event.Kind) { count(m.duplicates[kind], 1) }

func (m *metrics) stored(kind event.Kind, matched []matching) {
	count(m.accepted[kind], 1)
	// Matchings of one dialect follow each other.
	for start := 0; start < len(matched); {
		name, end := matched[start].Subscription.Dialect, start+1
		for end < len(matched) && matched[end].Subscription.Dialect == name {
			end++
		}
		count(m.deliveries[name], end-start)
		start = end
	}
}

// count adds to a counter that may be missing: a kind that a newer release stored has none.
func count(c prometheus.Counter, n int) {
	if c != nil {
		c.Add(float64(n))
	}
}
