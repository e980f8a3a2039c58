package dispatch

import (
	"errors"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// Preview makes the message that a delivery would be sent as now, signed, and sends nothing. The subscription need not be
// saved: its secrets are given. It takes the same road as a delivery, so that what is shown is what would go out.
func (d *Dispatcher) Preview(in dialect.Input, plain subscription.Secrets) (*delivery.Message, error) {
	speaker := d.dialects[in.Subscription.Dialect]
	if speaker == nil {
		return nil, fmt.Errorf("there is no dialect named %q", in.Subscription.Dialect)
	}
	in.Site = d.deps.Site
	var msg *delivery.Message
	var renderErr error
	if err := guarded(func() { msg, renderErr = speaker.Render(in) }); err != nil {
		return nil, err
	}
	if renderErr == nil && msg == nil {
		renderErr = errors.New("no message")
	}
	if renderErr != nil {
		return nil, fmt.Errorf("render: %w", renderErr)
	}
	if msg.Trigger == "" {
		msg.Trigger = in.Notice.Name
	}
	return msg, d.seal(msg, speaker, in.Subscription, given(in.Subscription, plain), in.Delivery, d.deps.Now())
}
