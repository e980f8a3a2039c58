package dispatch

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// metrics counts what is sent. Labels come from closed sets: dialects, channels, outcomes, conditions.
type metrics struct {
	made    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	wait    prometheus.Histogram
}

// newMetrics registers the metrics; a nil registry gets none.
func newMetrics(registry prometheus.Registerer, d *Dispatcher) (*metrics, error) {
	m := &metrics{
		made: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_attempts_total", Help: "Attempts that were made, by what came of them.",
		}, []string{"dialect", "channel", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carillon_attempt_seconds", Help: "Time from the start of an attempt to the end of the answer.",
			Buckets: []float64{.001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"dialect", "channel"}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "carillon_accept_to_send_seconds", Help: "Time from accepting an event to the start of a delivery's first attempt.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 120, 600},
		}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.made, m.seconds, m.wait, &gauges{d.scheduler}} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// sending notes the start of a delivery's attempt.
func (m *metrics) sending(row *delivery.Delivery, at time.Time) {
	if row.Attempts == 0 && row.Cause == delivery.CauseEvent {
		m.wait.Observe(max(at.Sub(row.ID.Time()), 0).Seconds())
	}
}

// sent notes how long an attempt took.
func (m *metrics) sent(dialect string, channel subscription.Channel, r delivery.Result) {
	m.seconds.WithLabelValues(dialect, string(channel)).Observe(r.Duration.Seconds())
}

// concluded notes what came of an attempt of a delivery.
func (m *metrics) concluded(c *composition, a *delivery.Attempt) {
	if c.speaker == nil || c.version == nil {
		return
	}
	m.attempts(c.speaker.Name(), c.version.Channel, a.State, a.Result)
}

// attempts counts an attempt. The outcome is the state that it led to, "retry" for a delivery that is due again.
func (m *metrics) attempts(dialect string, channel subscription.Channel, state delivery.State, _ delivery.Result) {
	outcome := state.String()
	if state == delivery.Pending {
		outcome = "retry"
	}
	m.made.WithLabelValues(dialect, string(channel), outcome).Inc()
}

// gauges reads the scheduler when metrics are collected.
type gauges struct{ scheduler *scheduler }

var (
	inFlightDesc = prometheus.NewDesc("carillon_attempts_in_flight", "Attempts that are being made.", nil, nil)
	pendingDesc  = prometheus.NewDesc("carillon_deliveries_pending", "Deliveries that this node owes.", nil, nil)
	lanesDesc    = prometheus.NewDesc("carillon_lanes", "Destinations that this node knows of, by condition.", []string{"condition"}, nil)
	shardsDesc   = prometheus.NewDesc("carillon_shards_owned", "Shards of the queue that this node owns.", nil, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{inFlightDesc, pendingDesc, lanesDesc, shardsDesc} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	c := g.scheduler.census()
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	gauge(inFlightDesc, c.inflight)
	gauge(pendingDesc, c.owed)
	gauge(shardsDesc, c.shards)
	for _, condition := range Conditions() {
		gauge(lanesDesc, c.lanes[condition], string(condition))
	}
}

// census is what there is at one moment.
type census struct {
	inflight, owed, shards int
	lanes                  map[Condition]int
}

func (s *scheduler) census() census {
	c := census{lanes: make(map[Condition]int)}
	s.eachLane(func(l *lane) { c.lanes[l.condition()]++ })
	s.mu.Lock()
	defer s.mu.Unlock()
	c.inflight, c.owed = s.inflight, s.owed
	for i := range s.shards {
		if s.shards[i].held {
			c.shards++
		}
	}
	return c
}
