package dispatch

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// What the history says of deliveries that ended without an attempt.
const (
	reasonDeleted   = "the subscription was deleted"
	reasonDisabled  = "the subscription was disabled"
	reasonCancelled = "the delivery was cancelled"
)

// composition is a delivery made ready to be sent, as far as it came.
type composition struct {
	target     *subscription.Subscription // whose address, secret and limits count: the current version
	version    *subscription.Subscription // whose words count: the version that the delivery was made with
	speaker    dialect.Dialect
	occurrence *occurrence
	notice     string
	secrets    *opened
	message    *delivery.Message
	policy     delivery.Policy
	hash       uint64
	size       int
}

// obstacle is why a delivery can not be sent: for good, with a class for the history, or for now, without one.
type obstacle struct {
	class  delivery.Class
	detail string
	err    error
}

func (o *obstacle) Error() string {
	if o.err == nil {
		return o.detail
	}
	return o.detail + ": " + o.err.Error()
}

// notNow is an obstacle of our own that goes away.
func notNow(err error) *obstacle {
	return &obstacle{err: err, detail: "nothing can be sent at the moment"}
}

// compose makes a delivery ready but for the signature. What it found out is returned beside an obstacle too.
func (d *Dispatcher) compose(ctx context.Context, row *delivery.Delivery) (c composition, o *obstacle) {
	c.occurrence, o = d.recallEvent(ctx, row)
	if unwanted := d.choose(ctx, row, &c); unwanted != nil {
		return c, unwanted
	}
	if o != nil {
		return c, o
	}
	if c.speaker = d.dialects[c.version.Dialect]; c.speaker == nil {
		return c, &obstacle{class: delivery.ClassConfig, detail: fmt.Sprintf("there is no dialect named %q", c.version.Dialect)}
	}
	var err error
	if c.secrets, err = d.unseal(c.target); err != nil {
		return c, notNow(err)
	}
	c.policy = c.secrets.policy
	return c, d.render(ctx, row, &c)
}

// recallEvent returns the delivery's event; one that is gone leaves nothing to say.
func (d *Dispatcher) recallEvent(ctx context.Context, row *delivery.Delivery) (*occurrence, *obstacle) {
	found, err := d.occurrence(ctx, row.Event)
	switch {
	case err != nil:
		return nil, notNow(err)
	case found == nil:
		return nil, &obstacle{class: delivery.ClassRender, detail: "the event is not stored any more"}
	}
	return found, nil
}

// choose finds the versions of the subscription that count. A delivery whose subscription is gone or switched off is
// cancelled, unless it is pinned.
func (d *Dispatcher) choose(ctx context.Context, row *delivery.Delivery, c *composition) *obstacle {
	c.target = d.deps.Index.Get(row.Subscription)
	if unwanted(c.target) && !row.Pinned && d.late(row, c.target) {
		if err := d.refresh(ctx); err != nil {
			return notNow(err)
		}
		c.target = d.deps.Index.Get(row.Subscription)
	}
	if !row.Pinned && c.target == nil {
		return &obstacle{class: delivery.ClassCancelled, detail: reasonDeleted}
	}
	if !row.Pinned && !c.target.Enabled {
		return &obstacle{class: delivery.ClassCancelled, detail: reasonDisabled}
	}
	version, err := d.version(ctx, row.Subscription, row.Version)
	switch {
	case err == nil:
		c.version = version
	case !missing(err):
		return notNow(err)
	case c.target != nil:
		c.version = c.target // better said in new words than not at all
	default:
		return &obstacle{class: delivery.ClassCancelled, detail: reasonDeleted}
	}
	if c.target == nil {
		c.target = c.version
	}
	return nil
}

func unwanted(s *subscription.Subscription) bool { return s == nil || !s.Enabled }

// late reports whether the index may lag behind what the delivery was made with, on another node.
func (d *Dispatcher) late(row *delivery.Delivery, known *subscription.Subscription) bool {
	if known != nil {
		return known.Version < row.Version
	}
	return d.deps.Now().Sub(row.ID.Time()) < lateIndex
}

// render lets the dialect speak.
func (d *Dispatcher) render(ctx context.Context, row *delivery.Delivery, c *composition) *obstacle {
	notices, err := c.occurrence.of(c.speaker)
	if err != nil {
		return &obstacle{class: delivery.ClassRender, detail: "the event could not be read by the dialect", err: err}
	}
	if row.Notice < 0 || row.Notice >= len(notices) {
		return &obstacle{class: delivery.ClassRender, detail: "the dialect has nothing to say of the event any more"}
	}
	notice := notices[row.Notice]
	c.notice = notice.Name
	in := dialect.Input{
		Event: c.occurrence.event, Notice: notice, Subscription: c.version, Delivery: row, Site: d.deps.Site,
	}
	if c.version.Channel == subscription.ChannelEmail {
		recipients, o := d.recipients(ctx, c)
		if o != nil {
			return o
		}
		in.Recipients = recipients
	}
	var renderErr error
	if err := guarded(func() { c.message, renderErr = c.speaker.Render(in) }); err != nil {
		renderErr = err
	}
	if renderErr == nil && c.message == nil {
		renderErr = errors.New("no message")
	}
	if renderErr != nil {
		c.message = nil
		return &obstacle{class: delivery.ClassRender, detail: "the message could not be made", err: renderErr}
	}
	if c.message.Trigger == "" {
		c.message.Trigger = notice.Name
	}
	c.hash, c.size = fingerprint(c.message)
	limitTime(c.message, c.policy)
	return nil
}

// recipients resolves the addresses of a mail subscription, as they are now.
func (d *Dispatcher) recipients(ctx context.Context, c *composition) ([]string, *obstacle) {
	if d.deps.Recipients == nil {
		return nil, &obstacle{class: delivery.ClassConfig, detail: "the subscription has no recipient"}
	}
	to, err := d.deps.Recipients(ctx, c.target, c.occurrence.event)
	switch {
	case err != nil && fault.CodeOf(err) == fault.Internal:
		return nil, notNow(fmt.Errorf("find the recipients: %w", err))
	case err != nil:
		return nil, &obstacle{class: delivery.ClassConfig, detail: "the subscription's recipients can not be found", err: err}
	case len(to) == 0:
		return nil, &obstacle{class: delivery.ClassConfig, detail: "the subscription has no recipient"}
	}
	return to, nil
}

// limitTime gives a message the policy's time limits where it has none.
func limitTime(msg *delivery.Message, p delivery.Policy) {
	if msg.Timeout == 0 {
		msg.Timeout = p.Timeout
	}
	if msg.ConnectTimeout == 0 {
		msg.ConnectTimeout = min(p.ConnectTimeout, msg.Timeout)
	}
}
