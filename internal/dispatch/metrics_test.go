package dispatch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/dispatch"
	"carillon/internal/subscription"
)

// gathered returns the values of all metrics but histograms' buckets, as "name{labels} value".
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			key := family.GetName() + "{" + strings.Join(labels, ",") + "}"
			switch {
			case m.GetCounter() != nil:
				values[key] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				values[key] = m.GetGauge().GetValue()
			case m.GetHistogram() != nil:
				values[key] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		registry := prometheus.NewRegistry()
		good := w.subscribe("https://good.test/", nil)
		bad := w.subscribe("https://bad.test/", always(status(500)))
		last := w.subscribe("https://last.test/", always(status(500)), func(s *subscription.Subscription) { s.Delivery.MaxAttempts = 1 })
		hanging := w.subscribe("https://hang.test/", hang(time.Minute))
		n := w.start(func(d *dispatch.Deps) { d.Registry = registry })
		n.accept(0, good, bad, last)
		n.accept(5, hanging)
		n.accept(5, hanging)
		w.settle()
		got := gathered(t, registry)
		for key, want := range map[string]float64{
			"carillon_attempts_total{channel=webhook,dialect=plain,outcome=delivered}": 1,
			"carillon_attempts_total{channel=webhook,dialect=plain,outcome=retry}":     1,
			"carillon_attempts_total{channel=webhook,dialect=plain,outcome=exhausted}": 1,
			"carillon_attempt_seconds{channel=webhook,dialect=plain}":                  3,
			"carillon_accept_to_send_seconds{}":                                        4,
			"carillon_attempts_in_flight{}":                                            1,
			"carillon_deliveries_pending{}":                                            3,
			"carillon_shards_owned{}":                                                  64,
			"carillon_lanes{condition=healthy}":                                        2,
			"carillon_lanes{condition=degraded}":                                       2,
			"carillon_lanes{condition=failing}":                                        0,
			"carillon_lanes{condition=disabled}":                                       0,
		} {
			if got[key] != want {
				t.Errorf("%s = %v, want %v", key, got[key], want)
			}
		}
		if t.Failed() {
			t.Log(fmt.Sprint(got))
		}
	})
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		for name, change := range map[string]func(*dispatch.Deps){
			"store":   func(d *dispatch.Deps) { d.Store = nil },
			"index":   func(d *dispatch.Deps) { d.Index = nil },
			"version": func(d *dispatch.Deps) { d.Version = nil },
		} {
			deps := w.deps(nil)
			change(&deps)
			if _, err := dispatch.New(deps); err == nil {
				t.Errorf("a dispatcher without %s", name)
			}
		}
		registry := prometheus.NewRegistry()
		deps := w.deps(nil)
		deps.Committer, deps.Registry = nothing{}, registry
		if _, err := dispatch.New(deps); err != nil {
			t.Error(err)
		}
		if _, err := dispatch.New(deps); err == nil {
			t.Error("metrics were registered twice")
		}
	})
}
