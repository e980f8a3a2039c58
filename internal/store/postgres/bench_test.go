//go:build unix

package postgres

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
)

// BenchmarkCommit measures one delivery's whole way through the database: accepted, then recorded as delivered, with two
// per cent failing once before. Two writers commit at a time, each batch with new events and the attempts of the batch
// before, as a group commit gathers them under load. Beside the time it reports the processor time of this process and of
// all processes of the server, and what each delivery takes on disk.
func BenchmarkCommit(b *testing.B) {
	for _, fan := range []int{1, 10} {
		b.Run(fmt.Sprintf("fan-out=%d", fan), func(b *testing.B) { benchmarkCommit(b, fan) })
	}
}

const (
	benchDestinations = 20_000
	benchRows         = 250 // new rows of a batch; as many attempts come with them
)

func benchmarkCommit(b *testing.B, fan int) {
	dir, server, err := pgtest.LaunchTemporary(b.Context(), "shared_buffers=512MB", "max_wal_size=4GB")
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := pgtest.Remove(server, dir); err != nil {
			b.Error(err)
		}
	}()
	dsn, err := server.CreateDatabase(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), Options{DSN: dsn, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	node, err := s.Join(b.Context(), "bench", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	epochs, err := s.Claim(b.Context(), node, everyShardFree())
	if err != nil {
		b.Fatal(err)
	}
	benchCommits(b, s, load(b, fan, 200_000), node, epochs) // connections, plans, first pages
	own, other := processCPU(b), serverCPU(b, server)
	b.ResetTimer()
	benchCommits(b, s, load(b, fan, b.N), node, epochs)
	b.StopTimer()
	own, other = processCPU(b)-own, serverCPU(b, server)-other
	perDelivery := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(perDelivery(own), "app-us/op")
	b.ReportMetric(perDelivery(other), "server-us/op")
	b.ReportMetric(perDelivery(own+other), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(bytesPerDelivery(b, s), "B/delivery")
	b.ReportMetric(0, "ns/op")
	if books, err := s.Books(b.Context()); err != nil || !books.Balanced() || books.Counted != 0 {
		b.Errorf("the books after the run: %+v, %v", books, err)
	}
}

// generator hands out batches of accepts until there are enough.
type generator struct {
	ids  *ident.Generator
	fan  int
	left atomic.Int64
	body []byte
}

func load(b *testing.B, fan, deliveries int) *generator {
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	g := &generator{ids: ids, fan: fan, body: bytes.Repeat([]byte(`{"run":"x"},`), 100)}
	g.left.Store(int64(deliveries))
	return g
}

// next makes the accepts of a batch: runs of six events, each to fan destinations.
func (g *generator) next() []store.Accept {
	var accepts []store.Accept
	for range max(1, benchRows/g.fan) {
		if g.left.Add(-int64(g.fan)) <= -int64(g.fan) {
			return accepts
		}
		id := g.ids.Block(g.fan + 1)
		n := int64(id >> 6)
		run := ident.Derive("run", fmt.Sprint(n))
		a := store.Accept{Event: store.Event{
			ID: id, Organization: 1, Project: 2, Workspace: ident.ID(10 + n%500), Kind: "run", Run: run,
			Key: fmt.Sprint("event-", n), Deliveries: g.fan, Body: g.body,
		}}
		for k := 1; k <= g.fan; k++ {
			to := ident.ID(1 + (n*31+int64(k)*977)%benchDestinations)
			a.Deliveries = append(a.Deliveries, delivery.Delivery{
				ID: id + ident.ID(k)*ident.Step, Event: id, Organization: 1, Subscription: 100_000 + to, Version: 1,
				Destination: ident.Derive("destination", to.String()), Run: run, Due: time.Unix(1_700_000_000, 0),
			})
		}
		accepts = append(accepts, a)
	}
	return accepts
}

func benchCommits(b *testing.B, s *Store, g *generator, node int, epochs map[int]int64) {
	var group sync.WaitGroup
	for range defaultWriters {
		group.Go(func() {
			var due []delivery.Delivery
			for {
				accepts := g.next()
				if len(accepts) == 0 && len(due) == 0 {
					return
				}
				batch := store.Batch{Accepts: accepts, Owner: node, Epochs: epochs}
				due = record(&batch, due)
				for _, a := range accepts {
					due = append(due, a.Deliveries...)
				}
				if _, err := s.Commit(context.Background(), &batch); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

var benchResponse = &delivery.Response{
	Status: 200, Body: bytes.Repeat([]byte("ok"), 100),
	Header: map[string][]string{"Content-Type": {"text/plain"}, "Date": {"Sat, 21 Nov 2026 10:00:00 GMT"}, "Content-Length": {"200"}},
}

// record adds an attempt of each delivery to the batch and returns what is still owed: every fiftieth failed at first.
func record(batch *store.Batch, due []delivery.Delivery) (left []delivery.Delivery) {
	for _, d := range due {
		d.Attempts++
		a := delivery.Attempt{
			Delivery: d, Number: d.Attempts, State: delivery.Delivered, Trigger: "run:completed", BodyHash: uint64(d.ID),
			BodySize: 1200, Workspace: 10, Address: "https://receiver-17.example/hooks/…",
			Result: delivery.Result{
				Class: delivery.ClassAnswered, Status: 200, StartedAt: d.Due, Duration: time.Millisecond, Response: benchResponse,
			},
		}
		if d.Attempts == 1 && (d.ID>>6)%50 == 0 {
			a.State, a.Result.Status = delivery.Pending, 503
			a.Delivery.Due = d.Due.Add(time.Second)
			batch.Moves = append(batch.Moves, a.Delivery)
			left = append(left, a.Delivery)
		}
		batch.Attempts = append(batch.Attempts, a)
	}
	return left
}

func everyShardFree() map[int]int64 {
	seen := map[int]int64{}
	for shard := range delivery.Shards {
		seen[shard] = 0
	}
	return seen
}

func processCPU(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func serverCPU(b *testing.B, server *pgtest.Server) time.Duration {
	used, err := server.CPU()
	if err != nil {
		b.Fatal(err)
	}
	return used
}

func bytesPerDelivery(b *testing.B, s *Store) float64 {
	var size, deliveries int64
	err := s.reads.QueryRow(b.Context(), `SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('attempt')`).Scan(&size)
	if err != nil {
		b.Fatal(err)
	}
	var events int64
	if err := s.reads.QueryRow(b.Context(), `SELECT pg_total_relation_size('event')`).Scan(&events); err != nil {
		b.Fatal(err)
	}
	if err := s.reads.QueryRow(b.Context(), `SELECT sum(accepted)::bigint FROM book`).Scan(&deliveries); err != nil {
		b.Fatal(err)
	}
	return float64(size+events) / float64(deliveries)
}
