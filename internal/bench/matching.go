package bench

import (
	"fmt"
	"runtime"
	"time"

	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/subscription"
)

// Matching is what it costs to find an event's subscriptions among many.
type Matching struct {
	Subscriptions int           `json:"subscriptions"`
	PerEvent      time.Duration `json:"per_event_ns"`
	MB            float64       `json:"mb"`
}

const (
	matchSubscriptions = 100_000
	matchEvents        = 500_000
)

// measureMatching fills an index with subscriptions of 50,000 workspaces, two each, and looks events up in it.
func measureMatching() Matching {
	before := liveBytes()
	index := &subscription.Index{}
	for i := range matchSubscriptions {
		index.Put(&subscription.Subscription{
			ID: ident.ID(i + 1), Version: 1, Enabled: true, OrganizationID: 1, Dialect: "d", Channel: subscription.ChannelWebhook,
			Name:     fmt.Sprintf("subscription %d", i),
			Triggers: []string{"run:errored", "run:completed", "run:needs_attention"}, Destination: ident.ID(i + 1),
			Address: fmt.Sprintf("https://hooks.example.com/…%08x", i),
			URL:     seal.Sealed(make([]byte, 96)), Secret: seal.Sealed(make([]byte, 64)),
			Scopes: []subscription.Scope{{Level: subscription.LevelWorkspace, ID: ident.ID(i / 2)}},
		})
	}
	m := Matching{Subscriptions: matchSubscriptions, MB: float64(liveBytes()-before) / (1 << 20)}
	notices := []subscription.Notice{{Triggers: []string{"run:errored", "run:run_errored"}}}
	organization := subscription.Scope{Level: subscription.LevelOrganization, ID: 1}
	began, found := time.Now(), 0
	for i := range matchEvents {
		// A prime stride, so that neither the processor's cache nor the order of the map helps.
		workspace := subscription.Scope{Level: subscription.LevelWorkspace, ID: ident.ID(i * 7919 % (matchSubscriptions / 2))}
		places := []subscription.Scope{workspace, organization}
		for _, dialect := range index.Dialects(places) {
			found += len(index.Match(dialect, notices, places))
		}
	}
	m.PerEvent = time.Since(began) / matchEvents
	if found != 2*matchEvents {
		m.PerEvent = 0 // it did not do the work
	}
	runtime.KeepAlive(index)
	return m
}

func liveBytes() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
