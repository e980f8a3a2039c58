package bench

import "time"

// Scenario is one measurement.
type Scenario struct {
	Name  string
	Title string

	FanOut       int           // deliveries per event
	Destinations int           // among which events are spread; at least FanOut
	Failing      float64       // share of destinations that answer 500
	Hanging      float64       // share of destinations that do not answer
	Rate         float64       // events a second; 0 is as fast as they are accepted
	Duration     time.Duration // of the load
	Backlog      int           // deliveries that are pending at the start
	History      int           // attempts that are recorded at the start
}

// Scenarios lists what `make bench` measures, in its order. Load is the time that each puts load on.
func Scenarios(load time.Duration) []Scenario {
	return []Scenario{
		{Name: "fanout-1", Title: "as fast as it goes, 1 delivery an event", FanOut: 1, Destinations: 10, Duration: load},
		{Name: "fanout-10", Title: "as fast as it goes, 10 deliveries an event", FanOut: 10, Destinations: 10, Duration: load},
		{Name: "destinations-10000", Title: "as fast as it goes, 10,000 destinations", FanOut: 1, Destinations: 10_000, Duration: load},
		{Name: "rate-100", Title: "100 events a second", FanOut: 1, Destinations: 10, Rate: 100, Duration: load},
		{Name: "rate-500", Title: "500 deliveries a second, all well", FanOut: 10, Destinations: 10, Rate: 50, Duration: load},
		{Name: "hanging-10", Title: "500 deliveries a second, 1 of 10 destinations hanging", FanOut: 10, Destinations: 10, Hanging: 0.1, Rate: 50, Duration: load},
		{Name: "failing-50", Title: "500 deliveries a second, half of the destinations failing", FanOut: 10, Destinations: 10, Failing: 0.5, Rate: 50, Duration: load},
		{Name: "failing-1", Title: "500 deliveries a second, 1 of 100 destinations failing", FanOut: 10, Destinations: 100, Failing: 0.01, Rate: 50, Duration: load},
	}
}

// path returns the receiver's path for destination n: the first ones hang, the next fail, the others are well.
func (s Scenario) path(n int) string {
	hanging := int(s.Hanging * float64(s.Destinations))
	failing := int(s.Failing * float64(s.Destinations))
	switch {
	case n < hanging:
		return pathHanging
	case n < hanging+failing:
		return pathFailing
	}
	return pathHealthy
}

// Figures is what one scenario measured.
type Figures struct {
	Scenario   Scenario `json:"scenario"`
	Store      string   `json:"store"`
	Events     int64    `json:"events"`
	Refused    int64    `json:"refused"` // accepts that were not answered with 202
	Deliveries int64    `json:"deliveries"`

	PerSecond      float64 `json:"deliveries_per_second"`
	CPUPerDelivery float64 `json:"cpu_us_per_delivery"` // Carillon and its database
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`
	ResidentMB     float64 `json:"resident_mb"`
	BytesOnDisk    float64 `json:"bytes_per_delivery"`

	// The bare client in the same run.
	BarePerSecond float64 `json:"bare_per_second"`
	BareCPU       float64 `json:"bare_cpu_us"`
}

// CPURatio is Carillon's CPU per delivery as a multiple of the bare client's per request.
func (f Figures) CPURatio() float64 { return ratio(f.CPUPerDelivery, f.BareCPU) }

// Share is Carillon's throughput as a share of the bare limit.
func (f Figures) Share() float64 { return ratio(f.PerSecond, f.BarePerSecond) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
