package bench

import "time"

// Figures is what one scenario measured.
type Figures struct {
	Scenario   Scenario `json:"scenario"`
	Store      string   `json:"store"`
	Events     int64    `json:"events"`
	Refused    int64    `json:"refused"`    // accepts that were not answered with 202
	Deliveries int64    `json:"deliveries"` // to healthy destinations

	PerSecond      float64 `json:"deliveries_per_second"`
	CPUPerDelivery float64 `json:"cpu_us_per_delivery"` // Carillon and its database
	P50            float64 `json:"p50_ms"`              // from hand-in to arrival at healthy destinations
	P99            float64 `json:"p99_ms"`
	Max            float64 `json:"max_ms"`
	ResidentMB     float64 `json:"resident_mb"` // the most that the server's process ever had
	BytesOnDisk    float64 `json:"bytes_per_delivery"`
	BodyBytes      float64 `json:"body_bytes"` // of a notification

	// First is how long after its start a server with a backlog made its first delivery.
	First time.Duration `json:"first_ns,omitempty"`

	// The bare client right before and right after, averaged.
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

// Report is everything that was measured.
type Report struct {
	Figures  []Figures `json:"figures"`
	Matching *Matching `json:"matching,omitempty"`
	Budgets  []Line    `json:"budgets"`
}

// find returns a scenario's figures on a database, nil when it was not measured.
func (r *Report) find(store, scenario string) *Figures {
	for i := range r.Figures {
		if f := &r.Figures[i]; f.Store == store && f.Scenario.Name == scenario {
			return f
		}
	}
	return nil
}
