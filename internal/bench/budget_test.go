package bench

import (
	"testing"
	"time"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		line Line
		want string
	}{
		{"below the aim", Line{Value: 1, Budget: 3, Aim: 2, AtMost: true}, "aim met"},
		{"between", Line{Value: 3, Budget: 3, Aim: 2, AtMost: true}, "met"},
		{"above", Line{Value: 3.1, Budget: 3, Aim: 2, AtMost: true}, "NOT MET"},
		{"a lower bound exceeded", Line{Value: 0.8, Budget: 0.5, Aim: 0.7}, "aim met"},
		{"a lower bound missed", Line{Value: 0.4, Budget: 0.5, Aim: 0.7}, "NOT MET"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.line.Verdict(); got != test.want {
				t.Errorf("Verdict = %q, want %q", got, test.want)
			}
		})
	}
}

func TestBudgetsCompareScenariosOfOneDatabase(t *testing.T) {
	t.Parallel()
	figure := func(store, name string, p99, perSecond float64) Figures {
		return Figures{Scenario: Scenario{Name: name}, Store: store, P99: p99, PerSecond: perSecond, CPUPerDelivery: 50, BarePerSecond: 100, BareCPU: 25}
	}
	report := Report{
		Figures: []Figures{
			figure(Embedded, "fanout-10", 0, 80), figure(Embedded, "history", 0, 60),
			figure(Embedded, "rate-500", 10, 50), figure(Embedded, "hanging-10", 11, 50),
			figure(PostgreSQL, "rate-500", 20, 50), figure(PostgreSQL, "hanging-10", 40, 50),
		},
		Matching: &Matching{PerEvent: 2 * time.Microsecond, MB: 60},
	}
	got := map[string]float64{}
	for _, line := range report.budgets() {
		got[line.Store+" "+line.Figure] = line.Value
	}
	for name, want := range map[string]float64{
		"sqlite fanout-10: CPU per delivery, x bare client":   2,
		"sqlite fanout-10: deliveries/s, share of bare limit": 0.8,
		"sqlite throughput with history, over empty":          0.75,
		"sqlite healthy p99, 1 of 10 hanging, over without":   1.1,
		"postgres healthy p99, 1 of 10 hanging, over without": 2,
		" 100,000 subscriptions: match time per event, us":    2,
		" 100,000 subscriptions: memory, MB":                  60,
	} {
		if got[name] < want-1e-9 || got[name] > want+1e-9 {
			t.Errorf("%q = %v, want %v", name, got[name], want)
		}
	}
	if _, there := got["postgres throughput with history, over empty"]; there {
		t.Error("what was not measured has a line")
	}
}

func TestDestinationsOfAScenario(t *testing.T) {
	t.Parallel()
	s := Scenario{FanOut: 10, Destinations: 100, Failing: 0.01, Hanging: 0.02}
	if got := []int64{s.workspaces(), s.healthy(0), s.healthy(1)}; got[0] != 10 || got[1] != 7 || got[2] != 10 {
		t.Errorf("workspaces, healthy deliveries in the first and the second = %v", got)
	}
}

func TestTheReceiverFindsTheStamp(t *testing.T) {
	t.Parallel()
	handed := time.Unix(0, 1_000)
	took, found := elapsed([]byte(`{"message":"`+stampMark+`1000","next":7}`), handed.Add(time.Millisecond))
	if !found || took != time.Millisecond {
		t.Errorf("elapsed = %v, %v", took, found)
	}
	if _, found := elapsed([]byte(`{"message":"no stamp"}`), handed); found {
		t.Error("a body without a stamp has one")
	}
}
