package committer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics say how well the work is gathered and whether it gets stored.
type metrics struct {
	rows    prometheus.Histogram
	seconds prometheus.Histogram
	errors  prometheus.Counter
	fenced  prometheus.Counter
}

func newMetrics(c *Committer, registry prometheus.Registerer) *metrics {
	m := &metrics{
		rows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carillon_commit_rows", Help: "Rows written by one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carillon_commit_seconds", Help: "Duration of a commit.", Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_commit_errors_total", Help: "Commits that failed; what they recorded is tried again.",
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_commit_fenced_total", Help: "Records that were dropped because another node owned their shard.",
		}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "carillon_commit_waiting_rows", Help: "Rows of records that wait for their commit.",
	}, c.waiting)
	if registry == nil {
		return m
	}
	for _, collector := range []prometheus.Collector{m.rows, m.seconds, m.errors, m.fenced, waiting} {
		if err := registry.Register(collector); err != nil {
			c.o.Log.Warn("a metric of the committer is missing", "error", err)
		}
	}
	return m
}

// waiting counts the rows of records that are not stored yet.
func (c *Committer) waiting() float64 {
	rows := 0
	for _, w := range c.writers {
		w.mu.Lock()
		rows += w.rows
		w.mu.Unlock()
	}
	return float64(rows)
}

func (m *metrics) committed(rows int, took time.Duration, err error) {
	if err != nil {
		m.errors.Inc()
		return
	}
	m.rows.Observe(float64(rows))
	m.seconds.Observe(took.Seconds())
}

func (m *metrics) dropped(records int) { m.fenced.Add(float64(records)) }
