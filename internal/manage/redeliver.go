package manage

import (
	"context"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Redeliver sends a delivery once more: queued, or at once, which also works while the subscription is switched off. The
// body is that of the original; address and secret are the subscription's present ones. It needs the right to change
// the subscription.
func (x Deliveries) Redeliver(ctx context.Context, p estate.Principal, id ident.ID, now bool) (delivery.Delivery, *delivery.Attempt, error) {
	var none delivery.Delivery
	summary, s, err := x.editable(ctx, p, id)
	if err != nil {
		return none, nil, err
	}
	if x.m.engine == nil {
		return none, nil, errNotWired
	}
	if err := x.repeatable(ctx, &summary, s, now); err != nil {
		return none, nil, err
	}
	again := summary.Delivery.Again(x.m.ids.New(), delivery.CauseRedelivery, s, x.m.utcNow(), true)
	var attempt *delivery.Attempt
	if now {
		attempt, err = x.sendAgain(ctx, s, again)
	} else if err = x.m.engine.Enqueue(ctx, []delivery.Delivery{again}); err != nil {
		err = fmt.Errorf("queue the delivery again: %w", err)
	}
	if err != nil {
		return none, nil, err
	}
	err = x.m.note(ctx, p, AuditEntry{
		Action: "redeliver", Kind: "delivery", ObjectID: id, Name: s.Name, OrganizationID: s.OrganizationID,
	})
	if err != nil {
		// The delivery is on its way; failing now would make the caller send it twice.
		x.m.log.Error("note a redelivery in the audit log", "delivery", id.String(), "err", err)
	}
	return again, attempt, nil
}

// Cancel ends a delivery that is still pending. It needs the right to change the subscription.
func (x Deliveries) Cancel(ctx context.Context, p estate.Principal, id ident.ID) error {
	summary, s, err := x.editable(ctx, p, id)
	if err != nil {
		return err
	}
	if summary.State != delivery.Pending {
		return fault.New(fault.Conflict, "The delivery is not pending: it is %s.", summary.State)
	}
	if x.m.engine == nil {
		return errNotWired
	}
	if err := x.m.engine.Cancel(ctx, summary.Delivery.Key()); err != nil {
		return fmt.Errorf("cancel the delivery: %w", err)
	}
	return x.m.note(ctx, p, AuditEntry{
		Action: "cancel", Kind: "delivery", ObjectID: id, Name: s.Name, OrganizationID: s.OrganizationID,
	})
}

// editable returns a delivery and its subscription for those who may change the latter.
func (x Deliveries) editable(ctx context.Context, p estate.Principal, id ident.ID) (store.Summary, *subscription.Subscription, error) {
	summary, err := x.find(ctx, p, id)
	if err != nil {
		return summary, nil, err
	}
	s := x.m.index.Get(summary.Delivery.Subscription)
	if s == nil {
		return summary, nil, fault.New(fault.Conflict, "The delivery's subscription was deleted.")
	}
	edits, err := x.m.edits(ctx, p, s)
	if err != nil {
		return summary, nil, err
	}
	if !edits {
		return summary, nil, forbidden(estate.RoleAdmin)
	}
	return summary, s, nil
}

// repeatable refuses what can not be sent again. A test request is made anew, not kept: it can be repeated while the same
// bytes still come out.
func (x Deliveries) repeatable(ctx context.Context, summary *store.Summary, s *subscription.Subscription, now bool) error {
	switch {
	case !s.Enabled && !now:
		return fault.New(fault.Conflict, "The subscription is switched off. Switch it on first, or send the delivery at once.")
	case summary.Delivery.Event != 0:
		return nil
	case now && summary.Last != nil:
		if _, exact, err := x.m.engine.Render(ctx, *summary.Last); exact || (err != nil && !isFault(err)) {
			return err
		}
	}
	return fault.New(fault.Conflict, "A test request is not kept and can not be repeated. Send a new one.")
}

// sendAgain renders the delivery from what it was first made of and sends it now.
func (x Deliveries) sendAgain(ctx context.Context, s *subscription.Subscription, d delivery.Delivery) (*delivery.Attempt, error) {
	msg, err := x.render(ctx, s, &d)
	if err != nil {
		return nil, err
	}
	plain, err := x.m.open(s)
	if err != nil {
		return nil, fmt.Errorf("open the secrets of subscription %s: %w", s.ID, err)
	}
	attempt, err := x.m.engine.Send(ctx, dialect.Single{Subscription: s, Secrets: plain, Message: msg, Delivery: d})
	if err != nil {
		return nil, fmt.Errorf("send the delivery again: %w", err)
	}
	return &attempt, nil
}

// render renders a delivery from its event and the subscription's version that it was made with.
func (x Deliveries) render(ctx context.Context, s *subscription.Subscription, d *delivery.Delivery) (*delivery.Message, error) {
	spoken := x.m.dialects[s.Dialect]
	if spoken == nil {
		return nil, fault.New(fault.Conflict, "The dialect %q is not offered any more.", s.Dialect)
	}
	version, err := x.m.Version(ctx, d.Subscription, d.Version)
	if missing(err) {
		return nil, fault.New(fault.Conflict, "The version of the subscription that the delivery was made with is not kept any more.")
	}
	if err != nil {
		return nil, err
	}
	if d.Event == 0 {
		return x.renderTest(spoken, version, d)
	}
	e, err := x.eventOf(ctx, d)
	if err != nil {
		return nil, err
	}
	notices := spoken.Notices(e)
	if d.Notice < 0 || d.Notice >= len(notices) {
		return nil, fault.New(fault.Conflict, "This release has nothing to say of the delivery's event.")
	}
	in := dialect.Input{Event: e, Notice: notices[d.Notice], Subscription: version, Delivery: d, Site: x.m.site}
	if version.Channel == subscription.ChannelEmail {
		if in.Recipients, err = x.m.Recipients(ctx, s, e); err != nil {
			return nil, err
		}
	}
	msg, err := spoken.Render(in)
	if err != nil {
		return nil, fmt.Errorf("render delivery %s: %w", d.ID, err)
	}
	return msg, nil
}

// renderTest makes a test request again.
func (x Deliveries) renderTest(spoken dialect.Dialect, version *subscription.Subscription, d *delivery.Delivery) (*delivery.Message, error) {
	verifier, ok := spoken.(dialect.Verifier)
	if !ok {
		return nil, fault.New(fault.Conflict, "A test request is not kept and can not be repeated. Send a new one.")
	}
	msg, err := verifier.Verification(version, x.m.site, d.Stable().Time())
	if err != nil {
		return nil, fmt.Errorf("render test request %s: %w", d.ID, err)
	}
	return msg, nil
}

// eventOf reads a delivery's event, which retention may have removed.
func (x Deliveries) eventOf(ctx context.Context, d *delivery.Delivery) (*event.Event, error) {
	stored, err := x.m.store.Events(ctx, []ident.ID{d.Event})
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	if len(stored) == 0 {
		return nil, fault.New(fault.Conflict, "The delivery's event is not kept any more.")
	}
	e, err := event.Decode(stored[0].Body)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", d.Event, err)
	}
	return e, nil
}
