package scalr

import (
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
)

// keptAnswer is how much of an answer's body is kept (§2.2).
const keptAnswer = 64 << 10

// Render writes one delivery in the shape of the webhook's generation (§3).
func (*Dialect) Render(in dialect.Input) (*delivery.Message, error) {
	if in.Event.Run == nil || in.Event.Workspace == nil {
		return nil, fmt.Errorf("render %s: the event names no run or no workspace", in.Notice.Name)
	}
	f := factsOf(in)
	var body []byte
	var err error
	if generationOf(in.Subscription) == generationEndpoint {
		body, err = encode(newEndpointPayload(f), true)
	} else {
		body, err = encode(newIntegrationPayload(f), false)
	}
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Notice.Name, err)
	}
	msg := &delivery.Message{
		Channel: in.Subscription.Channel, Method: "POST", Body: body, Trigger: in.Notice.Name, KeepBody: keptAnswer,
	}
	msg.Set("Content-Type", "application/json")
	msg.Set("Accept", "*/*")
	msg.Set("User-Agent", in.Site.UserAgent())
	return msg, nil
}
