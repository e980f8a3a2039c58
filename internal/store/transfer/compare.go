package transfer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// contents is a digest of everything in a store, and its accounts.
type contents struct {
	counts Counts
	sums   [4][sha256.Size]byte // of records, events, attempts, pending deliveries
	books  store.Books
}

// compare reads both stores from end to end.
func compare(ctx context.Context, from Source, to Target, report Report) error {
	want, err := digest(ctx, from, func(string, int) {})
	if err != nil {
		return fmt.Errorf("read the source again: %w", err)
	}
	got, err := digest(ctx, to, report)
	if err != nil {
		return fmt.Errorf("read the target again: %w", err)
	}
	switch {
	case got.counts != want.counts:
		return fmt.Errorf("the copy holds %+v and the source %+v: it must not be used", got.counts, want.counts)
	case got.books != want.books:
		return fmt.Errorf("the copy's books are %+v and the source's %+v: it must not be used", got.books, want.books)
	}
	for i, what := range []string{"records", "events", "attempts", "pending deliveries"} {
		if got.sums[i] != want.sums[i] {
			return fmt.Errorf("the %s of the copy differ from the source's: it must not be used", what)
		}
	}
	return compareNewest(ctx, from, to)
}

// compareNewest holds that no identifier that was given can be given again.
func compareNewest(ctx context.Context, from, to store.Ledger) error {
	for node := range ident.MaxNode + 1 {
		want, err := from.Newest(ctx, node)
		if err != nil {
			return err
		}
		got, err := to.Newest(ctx, node)
		if err != nil {
			return err
		}
		if got < want {
			return fmt.Errorf("the copy's newest identifier of node %d is %s and the source's %s: it must not be used", node, got, want)
		}
	}
	return nil
}

// digest reads everything. Revisions are left out: they are the store's own.
func digest(ctx context.Context, s Source, report Report) (c contents, err error) {
	sums := [4]hash.Hash{sha256.New(), sha256.New(), sha256.New(), sha256.New()}
	err = eachRecords(ctx, s, func(records []store.Record) error {
		for _, r := range records {
			aliases := slices.Sorted(slices.Values(r.Aliases))
			fmt.Fprintf(sums[0], "%s %d %d %q %q %q\n", r.Kind, r.ID, r.Parent, r.Name, aliases, r.Body)
		}
		c.counts.Records += len(records)
		report("records compared", c.counts.Records)
		return nil
	})
	if err != nil {
		return c, err
	}
	err = eachEvents(ctx, s, func(events []store.Event) error {
		for _, e := range events {
			fmt.Fprintf(sums[1], "%d %d %d %d %q %q %d %d %q %d %q\n", e.ID, e.Organization, e.Project, e.Workspace, e.Kind, e.Key,
				e.Run, e.Sequence, e.RunAlias, e.Deliveries, e.Body)
		}
		c.counts.Events += len(events)
		report("events compared", c.counts.Events)
		return nil
	})
	if err != nil {
		return c, err
	}
	err = eachAttempts(ctx, s, func(attempts []delivery.Attempt) error {
		slices.SortStableFunc(attempts, func(a, b delivery.Attempt) int {
			return cmp.Or(cmp.Compare(a.Delivery.ID, b.Delivery.ID), cmp.Compare(a.Number, b.Number), cmp.Compare(a.State, b.State))
		})
		for i := range attempts {
			sumAttempt(sums[2], &attempts[i])
		}
		c.counts.Attempts += len(attempts)
		report("attempts compared", c.counts.Attempts)
		return nil
	})
	if err != nil {
		return c, err
	}
	err = eachPending(ctx, s, func(rows []delivery.Delivery) error {
		for i := range rows {
			sumDelivery(sums[3], &rows[i])
		}
		c.counts.Deliveries += len(rows)
		report("pending deliveries compared", c.counts.Deliveries)
		return nil
	})
	if err != nil {
		return c, err
	}
	for i, sum := range sums {
		sum.Sum(c.sums[i][:0])
	}
	c.books, err = s.Books(ctx)
	return c, err
}

func sumDelivery(to hash.Hash, d *delivery.Delivery) {
	fmt.Fprintf(to, "%d %d %d %d %d %d %d %d %d %d %d %d %d %t %t\n", d.ID, d.Event, d.Organization, d.Subscription, d.Version,
		d.Destination, d.Notice, d.Run, d.Sequence, d.Attempts, d.Due.UnixMicro(), d.Cause, d.Origin, d.Pinned, d.Unordered)
}

func sumAttempt(to hash.Hash, a *delivery.Attempt) {
	sumDelivery(to, &a.Delivery)
	r := &a.Result
	fmt.Fprintf(to, "%d %d %s %d %d %d %q %d %q %t %d %d %d %q %d\n", a.Number, a.State, r.Class, r.Status, r.StartedAt.UnixMicro(),
		r.Duration, r.Detail, r.RetryAfter, a.Trigger, a.Repeat, a.BodyHash, a.BodySize, a.Workspace, a.Address, a.Node)
	if r.Response != nil {
		fmt.Fprintf(to, "%d %v %q %t\n", r.Response.Status, r.Response.Header, r.Response.Body, r.Response.Truncated)
	}
}
