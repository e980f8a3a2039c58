package server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// failpoints reads a specification such as "dispatch.after-send=kill:3": at the third hit of that step the process kills
// itself as `kill -9` would; "pause" stops it as SIGSTOP would. Crash tests use it to break the promise of durability at
// every step, from outside and for real. An empty specification returns nil, which costs nothing.
func failpoints(spec string) (func(name string), error) {
	if spec == "" {
		return nil, nil
	}
	points := map[string]*failpoint{}
	for part := range strings.SplitSeq(spec, ",") {
		name, action, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("failpoint %q is not name=action", part)
		}
		action, hit, counted := strings.Cut(action, ":")
		point := &failpoint{at: 1}
		if counted {
			at, err := strconv.ParseInt(hit, 10, 64)
			if err != nil || at < 1 {
				return nil, fmt.Errorf("failpoint %q: %q is not a number of hits", name, hit)
			}
			point.at = at
		}
		switch action {
		case "kill":
			point.signal = syscall.SIGKILL
		case "pause":
			point.signal = syscall.SIGSTOP
		default:
			return nil, fmt.Errorf("failpoint %q: unknown action %q (kill, pause)", name, action)
		}
		points[name] = point
	}
	return func(name string) {
		if point := points[name]; point != nil {
			point.hit()
		}
	}, nil
}

// failpoint is one step at which the process ends itself.
type failpoint struct {
	at     int64
	signal syscall.Signal
	hits   atomic.Int64
}

func (p *failpoint) hit() {
	if p.hits.Add(1) != p.at {
		return
	}
	_ = syscall.Kill(os.Getpid(), p.signal)
	if p.signal == syscall.SIGKILL {
		select {} // the signal arrives at once; nothing may run on until it does
	}
}
