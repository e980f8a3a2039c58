package bench

import (
	"fmt"
	"time"
)

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
	History      int           // deliveries with their attempts that are recorded at the start
	Only         string        // the one database that it makes sense on
	Crash        bool          // one of two nodes is killed under the load

	Against string // the scenario that this one's figures are compared with
}

// Sizes say how much is in the databases of those measurements that begin with a full one.
type Sizes struct{ Backlog, History int }

// Scenarios lists what `make bench` measures, in its order. Load is the time that each puts load on.
func Scenarios(load time.Duration, full Sizes) []Scenario {
	return []Scenario{
		{Name: "fanout-1", Title: "as fast as it goes, 1 delivery an event", FanOut: 1, Destinations: 10, Duration: load},
		{Name: "fanout-10", Title: "as fast as it goes, 10 deliveries an event", FanOut: 10, Destinations: 10, Duration: load},
		{Name: "history", Title: fmt.Sprintf("the same with %d attempts in the history", full.History), FanOut: 10, Destinations: 10, Duration: load, History: full.History, Against: "fanout-10"},
		{Name: "destinations-10000", Title: "as fast as it goes, 10,000 destinations", FanOut: 1, Destinations: 10_000, Duration: load},
		{Name: "rate-100", Title: "100 events a second", FanOut: 1, Destinations: 10, Rate: 100, Duration: load},
		{Name: "rate-500", Title: "500 deliveries a second, all well", FanOut: 10, Destinations: 10, Rate: 50, Duration: load},
		{Name: "hanging-10", Title: "500 deliveries a second, 1 of 10 destinations hanging", FanOut: 10, Destinations: 10, Hanging: 0.1, Rate: 50, Duration: load, Against: "rate-500"},
		{Name: "failing-50", Title: "500 deliveries a second, half of the destinations failing", FanOut: 10, Destinations: 10, Failing: 0.5, Rate: 50, Duration: load, Against: "rate-500"},
		{Name: "failing-1", Title: "500 deliveries a second, 1 of 100 destinations failing", FanOut: 10, Destinations: 100, Failing: 0.01, Rate: 50, Duration: load, Against: "rate-500"},
		{Name: "backlog", Title: fmt.Sprintf("a start with %d deliveries pending", full.Backlog), FanOut: 10, Destinations: 1000, Backlog: full.Backlog},
		{Name: "takeover", Title: "one of two nodes is killed at 500 deliveries a second", FanOut: 10, Destinations: 100, Rate: 50, Only: PostgreSQL, Crash: true},
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

// workspaces is how many there are: each has as many destinations as an event has deliveries.
func (s Scenario) workspaces() int64 { return int64(s.Destinations / s.FanOut) }

// healthy is how many deliveries of an event in the n-th workspace go to healthy destinations.
func (s Scenario) healthy(n int64) (count int64) {
	for i := range s.FanOut {
		if s.path(int(n)*s.FanOut+i) == pathHealthy {
			count++
		}
	}
	return count
}
