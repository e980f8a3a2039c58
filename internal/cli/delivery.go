package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"carillon/client"
)

// deliveryCommand reads the log and sends again.
type deliveryCommand struct {
	List      deliveryList      `cmd:"" help:"List deliveries, newest first."`
	Show      deliveryShow      `cmd:"" help:"Show one delivery with every attempt."`
	Redeliver deliveryRedeliver `cmd:"" help:"Send a delivery once more."`
}

type deliveryList struct {
	connection
	output
	Organization string   `help:"Only those of an organization." placeholder:"ORG"`
	Subscription string   `help:"Only those of a subscription." placeholder:"ID"`
	RunID        string   `name:"run" help:"Only those of a run." placeholder:"ID"`
	Event        string   `help:"Only those of an event." placeholder:"ID"`
	State        []string `help:"Only those in a state: pending, delivered, exhausted, cancelled." placeholder:"STATE,…"`
	Status       string   `help:"Only those whose last answer had the status: 503, or 500-599." placeholder:"STATUS"`
	From         string   `help:"Only those made at this time or later (RFC 3339)." placeholder:"TIME"`
	To           string   `help:"Only those made before this time (RFC 3339)." placeholder:"TIME"`
	Limit        int      `default:"50" help:"At most so many; 0 lists all." placeholder:"N"`
}

// Run lists deliveries.
func (o *deliveryList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"organization": o.Organization, "subscription": o.Subscription, "run": o.RunID, "event": o.Event, "status": o.Status,
		"from": o.From, "to": o.To,
	} {
		setIf(query, name, value)
	}
	for _, state := range o.State {
		query.Add("state", state)
	}
	all, err := client.All[client.Delivery](ctx, c, "/v1/deliveries", query, o.Limit)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "ID", "STATE", "ATTEMPTS", "LAST ANSWER", "TRIGGER", "CAUSE", "MADE")
		for _, d := range all {
			answer, trigger := "", ""
			if d.Last != nil {
				answer, trigger = answerText(*d.Last), d.Last.Trigger
			}
			row(w, d.ID, d.State, d.Attempts, answer, trigger, d.Cause, d.CreatedAt)
		}
	})
}

// answerText says in a few words what an attempt met.
func answerText(a client.Attempt) string {
	switch {
	case a.Status != 0:
		return fmt.Sprint(a.Status)
	case a.Class != "":
		return a.Class
	}
	return "none"
}

type deliveryShow struct {
	connection
	output
	ID string `arg:"" help:"The delivery's identifier, as the list shows it."`
}

// Run shows a delivery.
func (o *deliveryShow) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	d, err := get[client.Delivery](ctx, c, "deliveries", o.ID)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, d, func(w io.Writer) {
		row(w, "delivery", d.ID)
		row(w, "state", d.State)
		row(w, "event", d.Event)
		row(w, "subscription", d.Subscription)
		row(w, "cause", d.Cause)
		if d.Origin != "" {
			row(w, "repeats", d.Origin)
		}
		if d.Due != nil {
			row(w, "next attempt", *d.Due)
		}
		fmt.Fprintln(w)
		row(w, "ATTEMPT", "STARTED", "ANSWER", "MS", "THEN", "NOTE")
		for _, a := range d.Tries {
			row(w, a.Number, a.StartedAt, answerText(a), fmt.Sprintf("%.1f", a.DurationMS), a.State, noteText(d.ID, a))
		}
	})
}

// noteText says what is special about an attempt.
func noteText(shown string, a client.Attempt) string {
	note := a.Detail
	if a.PossiblyRepeated {
		note += " (possibly repeated)"
	}
	if a.Delivery != shown {
		note += " (redelivery " + a.Delivery + ")"
	}
	return note
}

type deliveryRedeliver struct {
	connection
	output
	ID  string `arg:"" help:"The delivery's identifier, as the list shows it."`
	Now bool   `help:"Send it at once and show the answer, instead of queueing it."`
}

// Run sends a delivery once more.
func (o *deliveryRedeliver) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	made, err := c.Redeliver(ctx, o.ID, o.Now)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, made, func(w io.Writer) {
		fmt.Fprintf(w, "delivery %s repeats %s\n", made.Delivery, made.Origin)
		if made.Attempt != nil {
			fmt.Fprintf(w, "the destination answered: %s %s\n", answerText(*made.Attempt), made.Attempt.Detail)
		}
	})
}
