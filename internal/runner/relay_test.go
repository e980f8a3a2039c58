package runner

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestRelay(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	type step struct {
		at    time.Duration
		sig   syscall.Signal // 0: the command speaks of an interrupt
		group bool           // from a terminal
	}
	tests := []struct {
		name      string
		unwatched bool
		muted     time.Duration // until when the output stands still
		steps     []step
		want      []string // signal and time of each delivery
	}{
		{name: "supervisor", steps: []step{{0, syscall.SIGTERM, false}}, want: []string{"terminated 250ms"}},
		{name: "supervisor, then spoken of", steps: []step{{0, syscall.SIGTERM, false}, {300 * ms, 0, false}}, want: []string{"terminated 250ms"}},
		{
			name:  "supervisor twice",
			steps: []step{{0, syscall.SIGTERM, false}, {300 * ms, 0, false}, {400 * ms, syscall.SIGTERM, false}},
			want:  []string{"terminated 250ms", "terminated 650ms"},
		},
		{name: "everybody was signalled, we first", steps: []step{{0, syscall.SIGTERM, false}, {100 * ms, 0, false}}},
		{name: "everybody was signalled, we last", steps: []step{{0, 0, false}, {100 * ms, syscall.SIGTERM, false}}},
		{
			name: "spoken of long before", steps: []step{{0, 0, false}, {2000 * ms, syscall.SIGTERM, false}},
			want: []string{"terminated 2.25s"},
		},
		{name: "terminal", steps: []step{{0, syscall.SIGINT, true}, {50 * ms, 0, false}}},
		{
			name:  "terminal twice",
			steps: []step{{0, syscall.SIGINT, true}, {50 * ms, 0, false}, {500 * ms, syscall.SIGINT, true}, {550 * ms, 0, false}},
		},
		{name: "kill -INT beside a terminal", steps: []step{{0, syscall.SIGINT, true}}, want: []string{"interrupt 3s"}},
		{name: "terminal while the output stands still", muted: 3500 * ms, steps: []step{{0, syscall.SIGINT, true}, {3600 * ms, 0, false}}},
		{
			name: "supervisor while the output stands still", muted: 3500 * ms, steps: []step{{0, syscall.SIGTERM, false}},
			want: []string{"terminated 250ms"},
		},
		{name: "terminal, not watched", unwatched: true, steps: []step{{0, syscall.SIGINT, true}}},
		{name: "not watched", unwatched: true, steps: []step{{0, syscall.SIGINT, false}}, want: []string{"interrupt 0s"}},
		{name: "quit from a terminal", steps: []step{{0, syscall.SIGQUIT, true}}},
		{name: "quit", steps: []step{{0, syscall.SIGQUIT, false}}, want: []string{"quit 0s"}},
		{name: "hangup", steps: []step{{0, syscall.SIGHUP, true}}, want: []string{"hangup 0s"}},
		{name: "user", steps: []step{{0, syscall.SIGUSR1, false}}, want: []string{"user defined signal 1 0s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(!tt.unwatched)
			var got []string
			deliver := func(sig syscall.Signal, at time.Duration) { got = append(got, fmt.Sprint(sig, " ", at)) }
			for at := time.Duration(0); at <= 4*time.Second; at += 10 * ms {
				now := start.Add(at)
				for _, s := range tt.steps {
					if s.at != at {
						continue
					}
					if s.sig == 0 {
						r.acknowledged(now)
					} else if r.receive(s.sig, s.group, now) {
						deliver(s.sig, at)
					}
				}
				for _, sig := range r.due(now, at < tt.muted) {
					deliver(sig, at)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("delivered %q, want %q", got, tt.want)
			}
		})
	}
}
