//go:build unix

package committer_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// BenchmarkCommit stores deliveries from the accept of their event to the record of their attempt, without sending
// anything: what a delivery costs in the store. It prints the processor time per delivery, making the load included.
func BenchmarkCommit(b *testing.B) {
	for _, fan := range []int{1, 10} {
		b.Run(fmt.Sprintf("fan-out=%d", fan), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "carillon.db")
			s := openStore(b, path)
			defer s.Close()
			c := committer.New(s, committer.Options{})
			load := newLoad(b, fan)
			b.ResetTimer()
			before, start := cpu(b), time.Now()
			load.run(b, c, b.N)
			if err := c.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
			used, took := cpu(b)-before, time.Since(start)
			b.StopTimer()
			deliveries := float64(load.made.Load())
			b.ReportMetric(float64(used.Microseconds())/deliveries, "cpu-us/delivery")
			b.ReportMetric(deliveries/took.Seconds(), "deliveries/s")
			books, err := s.Books(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if books.Accepted != int64(deliveries) || books.Delivered != books.Accepted || !books.Balanced() {
				b.Fatalf("books %+v after %v deliveries", books, deliveries)
			}
		})
	}
}

// load makes events of runs of six transitions, delivered to random ones of 20,000 destinations; one attempt in fifty fails
// and is repeated.
type load struct {
	fan      int
	ids      *ident.Generator
	body     []byte
	response *delivery.Response
	made     atomic.Int64
}

const (
	producers    = 128
	destinations = 20_000
	runLength    = 6
)

func newLoad(b *testing.B, fan int) *load {
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	return &load{
		fan: fan, ids: ids, body: make([]byte, 1200),
		response: &delivery.Response{Status: 200, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: make([]byte, 170)},
	}
}

// run makes deliveries until there are n.
func (l *load) run(b *testing.B, c *committer.Committer, n int) {
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			run, sequence := ident.ID(0), int64(runLength)
			for random := uint64(p + 1); l.made.Load() < int64(n); sequence++ {
				if sequence == runLength {
					run, sequence = l.ids.New(), 0
				}
				a := l.accept(run, sequence, &random)
				verdicts, err := c.Accept(b.Context(), []store.Accept{a})
				if err != nil || verdicts != nil {
					b.Errorf("accept: %v %v", verdicts, err)
					return
				}
				l.made.Add(int64(l.fan))
				for i := range a.Deliveries {
					l.attempt(c, &a.Deliveries[i])
				}
			}
		})
	}
	group.Wait()
}

func (l *load) accept(run ident.ID, sequence int64, random *uint64) store.Accept {
	first := l.ids.Block(l.fan + 1)
	a := store.Accept{
		Event: store.Event{
			ID: first, Organization: 1 << 50, Project: 1<<50 + 1, Workspace: 1<<50 + run%1000, Kind: "run", Key: first.String(),
			Run: run, Sequence: sequence, Deliveries: l.fan, Body: l.body,
		},
		Deliveries: make([]delivery.Delivery, l.fan),
	}
	if sequence == 0 {
		a.Event.RunAlias = "run-" + run.String()
	}
	for k := range a.Deliveries {
		*random = *random*6364136223846793005 + 1442695040888963407
		to := ident.ID(*random>>33%destinations + 1)
		a.Deliveries[k] = delivery.Delivery{
			ID: first + ident.ID(k+1)*ident.Step, Event: first, Organization: a.Event.Organization, Subscription: to << 40, Version: 3,
			Destination: to * 0x7fff_ffff_ff, Run: run, Sequence: sequence, Due: first.Time(),
		}
	}
	return a
}

func (l *load) attempt(c *committer.Committer, d *delivery.Delivery) {
	if uint64(d.ID)>>6%50 == 0 && d.Attempts == 0 {
		failed := l.try(d, delivery.Pending, 503)
		c.Record(committer.Record{Attempts: []delivery.Attempt{failed}, Moves: []delivery.Delivery{failed.Delivery}})
		d.Attempts = 1
	}
	c.Record(committer.Record{Attempts: []delivery.Attempt{l.try(d, delivery.Delivered, 200)}})
}

func (l *load) try(d *delivery.Delivery, state delivery.State, status int) delivery.Attempt {
	a := delivery.Attempt{
		Delivery: *d, Number: d.Attempts + 1, State: state, Trigger: "run:completed", BodyHash: uint64(d.ID) * 31, BodySize: 1200,
		Workspace: 1<<50 + 7, Address: "https://receiver.example.com/…",
		Result: delivery.Result{
			Class: delivery.ClassAnswered, Status: status, StartedAt: d.Due, Duration: 3 * time.Millisecond, Response: l.response,
		},
	}
	a.Delivery.Attempts++
	return a
}

// cpu is the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
