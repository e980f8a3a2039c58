package server

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/store"
)

// How often the server looks after itself.
const (
	refreshEvery = 2 * time.Second // what other nodes changed, should a hint be lost
	pruneEvery   = time.Minute
	pruneStep    = 500 // events removed in one transaction: small steps keep the writer free
	booksEvery   = time.Minute
	sweepEvery   = time.Hour
)

// maintain runs the periodic work until ctx ends.
func (s *Server) maintain(ctx context.Context) {
	books := newBooksMetrics(s.registry)
	s.checkBooks(ctx, books)
	changed := s.watch(ctx)
	refresh, prune, check := time.NewTicker(refreshEvery), time.NewTicker(pruneEvery), time.NewTicker(booksEvery)
	sweep := time.NewTicker(sweepEvery)
	defer refresh.Stop()
	defer prune.Stop()
	defer check.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			s.note(ctx, "refresh what other nodes changed", s.manage.Refresh(ctx))
		case <-refresh.C:
			s.note(ctx, "refresh what other nodes changed", s.manage.Refresh(ctx))
		case <-prune.C:
			s.note(ctx, "remove old history", s.prune(ctx))
		case <-check.C:
			s.checkBooks(ctx, books)
		case <-sweep.C:
			s.sweep(ctx)
		}
	}
}

// watch signals when another node changed what is managed, where the store tells.
func (s *Server) watch(ctx context.Context) <-chan struct{} {
	changed := make(chan struct{}, 1)
	s.background.Go(func() {
		err := s.store.Watch(ctx, func(h store.Hint) {
			if !h.Records {
				return
			}
			select {
			case changed <- struct{}{}:
			default: // one is waiting already
			}
		})
		s.note(ctx, "watch what other nodes change", err)
	})
	return changed
}

// note logs an error once, unless the server is stopping.
func (s *Server) note(ctx context.Context, doing string, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		s.log.Error("periodic work failed", "doing", doing, "err", err)
	}
}

// prune removes history older than the retention, in small steps.
func (s *Server) prune(ctx context.Context) error {
	before := time.Now().Add(-s.config.Retention)
	for ctx.Err() == nil {
		removed, err := s.store.Prune(ctx, before, pruneStep)
		if err != nil || removed < pruneStep {
			return err
		}
	}
	return nil
}

// sweep removes the records that nobody needs once the history that they belong to is gone.
func (s *Server) sweep(ctx context.Context) {
	before := time.Now().Add(-s.config.Retention)
	_, err := s.manage.Sweep(ctx, before)
	s.note(ctx, "remove old records", err)
	_, err = s.replays.Sweep(ctx, before)
	s.note(ctx, "remove old replays", err)
}

// booksMetrics are the accounts as metrics.
type booksMetrics struct {
	entries    *prometheus.GaugeVec
	difference prometheus.Gauge
}

func newBooksMetrics(registry prometheus.Registerer) booksMetrics {
	m := booksMetrics{
		entries: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carillon_books", Help: "Deliveries by what became of them, as the accounts say.",
		}, []string{"entry"}),
		difference: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "carillon_books_difference", Help: "Deliveries that the queue holds beyond what the accounts say; anything but 0 is a bug.",
		}),
	}
	registry.MustRegister(m.entries, m.difference)
	return m
}

// checkBooks compares the accounts with the queue and says so when they differ.
func (s *Server) checkBooks(ctx context.Context, m booksMetrics) {
	books, err := s.store.Books(ctx)
	if err != nil {
		s.note(ctx, "check the books", err)
		return
	}
	m.entries.WithLabelValues("accepted").Set(float64(books.Accepted))
	m.entries.WithLabelValues("delivered").Set(float64(books.Delivered))
	m.entries.WithLabelValues("exhausted").Set(float64(books.Exhausted))
	m.entries.WithLabelValues("cancelled").Set(float64(books.Cancelled))
	m.entries.WithLabelValues("pending").Set(float64(books.Counted))
	m.difference.Set(float64(books.Counted - books.Pending()))
	if !books.Balanced() {
		s.log.Error("the books do not balance: this is a bug, please report it", "accepted", books.Accepted,
			"delivered", books.Delivered, "exhausted", books.Exhausted, "cancelled", books.Cancelled, "queued", books.Counted)
	}
}
