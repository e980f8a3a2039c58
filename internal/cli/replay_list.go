package cli

import (
	"context"
	"io"
	"net/url"
)

type replayList struct {
	connection
	output
	Organization string `help:"Only those of an organization." placeholder:"ORG"`
	Limit        int    `default:"50" help:"At most so many; 0 lists all." placeholder:"N"`
}

// Run lists replays.
func (o *replayList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	query := url.Values{}
	setIf(query, "organization", o.Organization)
	all, err := c.Replays(ctx, query, o.Limit)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "ID", "STATE", "CHOSEN", "HANDLED", "DELIVERED", "EXHAUSTED", "PENDING", "SKIPPED", "BEGUN", "BY")
		for _, r := range all {
			row(w, r.ID, r.State, atLeast(r.Found, r.FoundExact), r.Handled, r.Delivered, r.Exhausted, r.Pending, r.Handled-r.Queued, r.CreatedAt, r.CreatedBy)
		}
	})
}

type replayShow struct {
	connection
	output
	ID   string `arg:"" help:"The replay's identifier, as the list shows it."`
	Wait bool   `env:"-" help:"Wait for the end, and tell on standard error how far it is."`
}

// Run shows a replay.
func (o *replayShow) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	r, err := c.Replay(ctx, o.ID)
	if err == nil && o.Wait {
		r, err = watchReplay(ctx, g.streams.Err, c, r)
	}
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, r, func(w io.Writer) { replayTable(w, r) })
}

type replayCancel struct {
	connection
	output
	ID      string `arg:"" help:"The replay's identifier, as the list shows it."`
	Pending bool   `env:"-" help:"Also cancel what is pending of it."`
}

// Run ends a replay.
func (o *replayCancel) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	r, err := c.CancelReplay(ctx, o.ID, o.Pending)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, r, func(w io.Writer) { replayTable(w, r) })
}
