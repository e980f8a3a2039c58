package dispatch

import (
	"context"
	"fmt"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// Render makes again what an attempt sent: its body, and its headers with a signature of that moment. The address and
// the values of sensitive headers are masked. Exact says that the bytes are proven to be those that were sent.
func (d *Dispatcher) Render(ctx context.Context, a delivery.Attempt) (msg *delivery.Message, exact bool, err error) {
	row := a.Delivery
	version, err := d.version(ctx, row.Subscription, row.Version)
	if err != nil {
		return nil, false, lost(err)
	}
	c := composition{version: version, target: version, speaker: d.dialects[version.Dialect]}
	if c.speaker == nil || a.Number == 0 {
		return nil, false, fault.New(fault.NotFound, "Nothing was sent, or it can not be shown any more.")
	}
	c.target = d.versionAt(ctx, version, a)
	test := row.Event == 0 // or what repeats one
	if test {
		c.message, err = d.verification(&c, a)
	} else {
		err = d.renderAgain(ctx, &row, &c)
	}
	if err != nil {
		return nil, false, err
	}
	hash, size := fingerprint(c.message)
	exact = hash == a.BodyHash && size == a.BodySize
	if !exact && test {
		return nil, false, fault.New(fault.NotFound, "What was sent is not kept.")
	}
	if o, err := d.unseal(c.target); err == nil {
		if err := d.seal(c.message, c.speaker, c.target, o, &row, a.Result.StartedAt); err != nil {
			return nil, false, fmt.Errorf("sign the message: %w", err)
		}
	}
	mask(c.message, a.Address)
	return c.message, exact, nil
}

// renderAgain lets the dialect say the same again.
func (d *Dispatcher) renderAgain(ctx context.Context, row *delivery.Delivery, c *composition) error {
	row.Attempts = max(row.Attempts-1, 0) // as it stood when the attempt began
	occurrence, o := d.recallEvent(ctx, row)
	if o != nil {
		return again(o)
	}
	c.occurrence = occurrence
	if o := d.render(ctx, row, c); o != nil {
		return again(o)
	}
	return nil
}

func again(o *obstacle) error {
	if o.class == "" {
		return o.err
	}
	return &fault.Error{Code: fault.NotFound, Message: "What was sent can not be shown any more: " + o.detail + ".", Cause: o.err}
}

// verification makes the dialect's verification again, if it has one. The first one's identifier says when that was.
func (d *Dispatcher) verification(c *composition, a delivery.Attempt) (msg *delivery.Message, err error) {
	verifier, ok := c.speaker.(dialect.Verifier)
	if !ok {
		return nil, fault.New(fault.NotFound, "What was sent is not kept.")
	}
	if msg, err = verifier.Verification(c.version, d.deps.Site, a.Delivery.Stable().Time()); err != nil || msg == nil {
		return nil, &fault.Error{Code: fault.NotFound, Message: "What was sent is not kept.", Cause: err}
	}
	return msg, nil
}

// versionsBack is how many versions are looked at for the one that an attempt took address and secret from.
const versionsBack = 50

// versionAt returns the version of a subscription that was current when an attempt was made.
func (d *Dispatcher) versionAt(ctx context.Context, made *subscription.Subscription, a delivery.Attempt) *subscription.Subscription {
	at := a.Result.StartedAt
	best := made
	for number := made.Version + 1; number <= made.Version+versionsBack; number++ {
		s, err := d.version(ctx, made.ID, number)
		if err != nil || s.UpdatedAt.After(at) {
			return best
		}
		best = s
	}
	return best
}

func lost(err error) error {
	if missing(err) {
		return &fault.Error{Code: fault.NotFound, Message: "What was sent can not be shown any more: the subscription's version is gone.", Cause: err}
	}
	return err
}

// masked stands in the place of a secret.
const masked = "***"

// mask hides what a log must not show.
func mask(msg *delivery.Message, address string) {
	if msg.Mail == nil {
		msg.URL = address
	}
	for i := range msg.Header {
		for _, name := range msg.Masked {
			if strings.EqualFold(msg.Header[i].Name, name) {
				msg.Header[i].Value = masked
			}
		}
	}
}
