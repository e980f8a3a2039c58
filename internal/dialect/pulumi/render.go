package pulumi

import (
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// Headers of the platform's requests, in Go's canonical spelling, as captures and delivery records show them (§2.1).
const (
	headerID        = "Pulumi-Webhook-Id"
	headerKind      = "Pulumi-Webhook-Kind"
	headerSignature = "Pulumi-Webhook-Signature"
)

// Render writes one delivery in the webhook's format (§3).
func (*Dialect) Render(in dialect.Input) (*delivery.Message, error) {
	said := announce(in.Event)
	i := slices.IndexFunc(said, func(a announcement) bool { return a.kind == in.Notice.Name })
	if i < 0 {
		return nil, fmt.Errorf("render %s: the event does not say that", in.Notice.Name)
	}
	body, err := render(in, said[i])
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Notice.Name, err)
	}
	msg := request(in.Subscription.Channel, in.Site, said[i].kind, body)
	if filters := said[i].filters; len(filters) > 0 {
		msg.Trigger = firstNamed(filters, in.Subscription)
	}
	return msg, nil
}

// firstNamed is the filter that the delivery log shows: the first that the webhook names.
func firstNamed(filters []string, s *subscription.Subscription) string {
	for _, name := range filters {
		if slices.Contains(s.Triggers, name) {
			return name
		}
	}
	return filters[0]
}

func render(in dialect.Input, a announcement) ([]byte, error) {
	channel := in.Subscription.Channel
	if a.native && channel == subscription.ChannelWebhook {
		return in.Event.Native.Body, nil // unchanged, so that what we do not know passes unharmed too (§3.3)
	}
	c, err := compose(in.Event, a, in.Site)
	if err != nil {
		return nil, err
	}
	switch channel {
	case subscription.ChannelWebhook:
		return c.body()
	case subscription.ChannelSlack:
		return c.slack()
	case subscription.ChannelTeams:
		return c.teams()
	case subscription.ChannelTrigger:
		return []byte(deploymentBody), nil
	}
	return nil, fmt.Errorf("there is no format for the channel %q", channel)
}

// request is a message with the headers of §2.1, but for those that Sign adds.
func request(channel subscription.Channel, site dialect.Site, kind string, body []byte) *delivery.Message {
	msg := &delivery.Message{
		Channel: channel, Method: "POST", Body: body, Trigger: kind, Timeout: attemptTimeout, KeepBody: keepBody,
	}
	msg.Set("Accept", "*/*")
	msg.Set("Content-Type", "application/json")
	msg.Set(headerKind, kind)
	msg.Set("User-Agent", site.UserAgent())
	return msg
}
