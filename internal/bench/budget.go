package bench

import "time"

// Line is one figure of the budget, as it was measured.
type Line struct {
	Figure string  `json:"figure"`
	Store  string  `json:"store,omitempty"`
	Value  float64 `json:"value"`
	Budget float64 `json:"budget"`
	Aim    float64 `json:"aim"`
	AtMost bool    `json:"at_most"` // the budget is an upper bound, otherwise a lower one
}

// Verdict says how the figure stands to its budget.
func (l Line) Verdict() string {
	within := func(bound float64) bool {
		if l.AtMost {
			return l.Value <= bound
		}
		return l.Value >= bound
	}
	switch {
	case within(l.Aim):
		return "aim met"
	case within(l.Budget):
		return "met"
	}
	return "NOT MET"
}

// bounds are a budget and the aim beyond it.
type bounds struct{ budget, aim float64 }

// budgets compares what was measured with what it may be.
func (r *Report) budgets() []Line {
	var lines []Line
	for _, store := range []string{Embedded, PostgreSQL} {
		lines = append(lines, r.costs(store)...)
		lines = append(lines, r.isolation(store)...)
		lines = append(lines, r.volume(store)...)
	}
	if m := r.Matching; m != nil {
		lines = append(lines,
			Line{Figure: "100,000 subscriptions: match time per event, us", Value: m.PerEvent.Seconds() * 1e6, Budget: 20, Aim: 5, AtMost: true},
			Line{Figure: "100,000 subscriptions: memory, MB", Value: m.MB, Budget: 200, Aim: 100, AtMost: true})
	}
	return lines
}

// costs are processor time, throughput, latency and disk.
func (r *Report) costs(store string) (lines []Line) {
	cpu := map[string]bounds{"fanout-10": {2.0, 1.5}, "fanout-1": {3.5, 2.5}}
	if store == PostgreSQL {
		cpu = map[string]bounds{"fanout-10": {2.5, 1.8}, "fanout-1": {4.5, 3.5}}
	}
	share := map[string]bounds{"fanout-10": {0.5, 0.7}, "fanout-1": {0.3, 0.4}}
	disk := map[string]bounds{"fanout-10": {700, 500}, "fanout-1": {2500, 1800}}
	for _, name := range []string{"fanout-10", "fanout-1"} {
		f := r.find(store, name)
		if f == nil {
			continue
		}
		lines = append(lines,
			Line{name + ": CPU per delivery, x bare client", store, f.CPURatio(), cpu[name].budget, cpu[name].aim, true},
			Line{name + ": deliveries/s, share of bare limit", store, f.Share(), share[name].budget, share[name].aim, false},
			Line{name + ": bytes on disk per delivery", store, f.BytesOnDisk, disk[name].budget, disk[name].aim, true})
	}
	if f := r.find(store, "rate-100"); f != nil {
		lines = append(lines,
			Line{"accept to arrival at 100/s, p50, ms", store, f.P50, 3, 1.5, true},
			Line{"accept to arrival at 100/s, p99, ms", store, f.P99, 40, 20, true})
	}
	return lines
}

// isolation is what ill destinations do to the others.
func (r *Report) isolation(store string) (lines []Line) {
	well := r.find(store, "rate-500")
	for _, each := range []struct {
		name, figure string
		bounds
	}{
		{"hanging-10", "healthy p99, 1 of 10 hanging, over without", bounds{1.2, 1.05}},
		{"failing-50", "healthy p99, half failing, over without", bounds{1.5, 1.2}},
	} {
		if f := r.find(store, each.name); f != nil && well != nil {
			lines = append(lines, Line{each.figure, store, ratio(f.P99, well.P99), each.budget, each.aim, true})
		}
	}
	return lines
}

// volume is what much in the database does, and how a node's death ends.
func (r *Report) volume(store string) (lines []Line) {
	slowdown := bounds{0.6, 0.8}
	if store == PostgreSQL {
		slowdown = bounds{0.8, 0.9}
	}
	if f, empty := r.find(store, "history"), r.find(store, "fanout-10"); f != nil && empty != nil {
		lines = append(lines, Line{"throughput with history, over empty", store, ratio(f.Share(), empty.Share()), slowdown.budget, slowdown.aim, false})
	}
	if f := r.find(store, "backlog"); f != nil {
		lines = append(lines,
			Line{"backlog: resident memory, MB", store, f.ResidentMB, 300, 150, true},
			Line{"backlog: start to first delivery, s", store, f.First.Seconds(), 3, 1, true})
	}
	if f := r.find(store, "takeover"); f != nil {
		lines = append(lines, Line{"takeover after kill -9, s", store, f.Max * float64(time.Millisecond) / float64(time.Second), 10, 6, true})
	}
	return lines
}
