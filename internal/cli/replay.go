package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"carillon/client"
)

// replayCommand sends many deliveries once more, and looks after what was begun.
type replayCommand struct {
	Start  replayStart  `cmd:"" default:"withargs" help:"Send the deliveries that a filter chooses once more, oldest first."`
	List   replayList   `cmd:"" help:"List replays, newest first."`
	Show   replayShow   `cmd:"" help:"Show how far a replay is."`
	Cancel replayCancel `cmd:"" help:"End a replay."`
}

// replayStart begins a replay. Its filters are no variables: what one shell happened to set must not choose what is sent.
type replayStart struct {
	connection
	output
	Organization string   `help:"The organization whose deliveries are meant." placeholder:"ORG" required:""`
	Workspace    string   `env:"-" help:"Only those of a workspace, by name or identifier." placeholder:"NAME"`
	Subscription string   `env:"-" help:"Only those of a subscription." placeholder:"ID"`
	Destination  string   `env:"-" help:"Only those to a destination." placeholder:"ID"`
	RunID        string   `name:"run" env:"-" help:"Only those of a run." placeholder:"ID"`
	Event        string   `env:"-" help:"Only those of an event." placeholder:"ID"`
	State        []string `env:"-" help:"Only those in a state: delivered, exhausted, cancelled." placeholder:"STATE,…"`
	Status       string   `env:"-" help:"Only those whose last answer had the status: 503, or 500-599." placeholder:"STATUS"`
	Cause        string   `env:"-" help:"Only those of a cause: event, redelivery, replay, fallback." placeholder:"CAUSE"`
	From         string   `env:"-" help:"Only those made at this time or later (RFC 3339)." placeholder:"TIME"`
	To           string   `env:"-" help:"Only those made before this time (RFC 3339)." placeholder:"TIME"`

	Pace       int  `default:"50" env:"-" help:"How many are sent per second." placeholder:"N"`
	MaxPending int  `default:"500" env:"-" help:"How many of it may be pending at a time." placeholder:"N"`
	Preview    bool `env:"-" help:"Only tell what would be sent."`
	Wait       bool `env:"-" help:"Wait for the end, and tell on standard error how far it is."`
}

// Help explains what is sent.
func (*replayStart) Help() string {
	return `At least one filter is needed. The body of each delivery is that of the original; address and secret are the
subscription's present ones. What is on its way anyhow, or belongs to a subscription that was deleted or switched off, is
skipped and counted. The server does the work, also after a restart; see docs/replay.md.

  carillon replay --organization acme --state exhausted --from 2026-11-22T04:00:00Z --preview
  carillon replay --organization acme --state exhausted --from 2026-11-22T04:00:00Z --pace 20 --wait`
}

// Run begins the replay, or tells what it would do.
func (o *replayStart) Run(ctx context.Context, g *globals) error {
	draft, err := o.draft()
	if err != nil {
		return err
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	if o.Preview {
		return o.preview(ctx, g, c, draft)
	}
	r, err := c.CreateReplay(ctx, draft)
	if err != nil {
		return err
	}
	if o.Wait {
		if r, err = watchReplay(ctx, g.streams.Err, c, r); err != nil {
			return err
		}
	}
	if err := o.print(g.streams.Out, r, func(w io.Writer) { replayTable(w, r) }); err != nil {
		return err
	}
	return outcome(r)
}

// draft reads the flags.
func (o *replayStart) draft() (client.ReplayDraft, error) {
	d := client.ReplayDraft{
		Organization: o.Organization, Pace: o.Pace, MaxPending: o.MaxPending,
		Filter: client.ReplayFilter{
			Workspace: o.Workspace, Run: o.RunID, Event: o.Event, Subscription: o.Subscription, Destination: o.Destination,
			State: o.State, Status: o.Status, Cause: o.Cause,
		},
	}
	if o.Pace < 1 || o.MaxPending < 1 {
		return d, usageError{errors.New("--pace and --max-pending must be at least 1")}
	}
	for _, bound := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", o.From, &d.Filter.From}, {"--to", o.To, &d.Filter.To}} {
		if bound.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, bound.text)
		if err != nil {
			return d, usageError{fmt.Errorf("%s must be a time like 2026-11-22T04:26:00Z, not %q", bound.flag, bound.text)}
		}
		*bound.to = at
	}
	return d, nil
}

func (o *replayStart) preview(ctx context.Context, g *globals, c *client.Client, draft client.ReplayDraft) error {
	p, err := c.PreviewReplay(ctx, draft)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, p, func(w io.Writer) {
		row(w, "chosen", atLeast(p.Found, p.FoundExact))
		of := ""
		if p.Looked < p.Found {
			of = fmt.Sprintf(" of the first %d", p.Looked)
		}
		row(w, "would be sent", fmt.Sprint(p.Queued)+of)
		row(w, "would be skipped", skipsText(p.Skipped)+of)
		if len(p.First) == 0 {
			return
		}
		fmt.Fprintln(w)
		row(w, "THE FIRST", "STATE", "LAST ANSWER", "TRIGGER", "MADE")
		for _, d := range p.First {
			answer, trigger := "", ""
			if d.Last != nil {
				answer, trigger = answerText(*d.Last), d.Last.Trigger
			}
			row(w, d.ID, d.State, answer, trigger, d.CreatedAt)
		}
	})
}
