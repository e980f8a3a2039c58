package cli

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Garbage collection costs what is alive, each time; how often it runs follows from how much may pile up between two
// runs. By default that is as much as is alive, and here little is alive (some tens of megabytes) while every event
// leaves garbage behind: a fifth of the processor time went into collecting. So there is one size for both together, and
// the garbage gets what is not alive; a share of what is alive only where much is.
const (
	heapSize = 128 << 20 // bytes, alive and garbage

	// So much garbage there may be however much is alive: less would cost too much, and more would make a large backlog
	// need twice its memory.
	leastGarbagePercent = 50

	// A server that has just started holds next to nothing; without a bound its percentage would be in the thousands, and
	// one burst would fill the memory before the next look.
	mostGarbagePercent = 800

	garbageLook = time.Second
)

// giveGarbageRoom keeps the collector's percentage at what is alive, until ctx ends. Whoever sets GOGC or GOMEMLIMIT has
// decided and is left alone.
func giveGarbageRoom(ctx context.Context) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	before := debug.SetGCPercent(mostGarbagePercent)
	defer debug.SetGCPercent(before)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(garbageLook)
	defer tick.Stop()
	for now := mostGarbagePercent; ; {
		metrics.Read(live)
		if wanted := garbagePercent(live[0].Value.Uint64()); differs(wanted, now) {
			debug.SetGCPercent(wanted)
			now = wanted
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// garbagePercent is how much garbage there may be, as a percentage of what is alive.
func garbagePercent(live uint64) int {
	if live >= heapSize {
		return leastGarbagePercent
	}
	return int(min(max((heapSize-live)*100/max(live, 1), leastGarbagePercent), mostGarbagePercent))
}

// differs reports whether a percentage is so far from another one that a change pays: each stops the world for a moment.
func differs(a, b int) bool { return a*10 < b*9 || a*9 > b*10 }
