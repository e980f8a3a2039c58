package tfe

import (
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// Render writes one delivery in the subscription's format (§3).
func (*Dialect) Render(in dialect.Input) (*delivery.Message, error) {
	if in.Event.Workspace == nil {
		return nil, fmt.Errorf("render %s: the event names no workspace", in.Notice.Name)
	}
	n, err := newNotification(in)
	if err != nil {
		return nil, err
	}
	msg, err := n.message(in.Subscription.Channel)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Notice.Name, err)
	}
	msg.Trigger = n.choice.trigger
	return msg, nil
}

// notification is what one delivery says, before it takes a channel's form.
type notification struct {
	in         dialect.Input
	transition *transition // of a run, otherwise nil
	choice     choice
	text       string // "Run Applied", "Drift Detected", …
	tone       tone
}

func newNotification(in dialect.Input) (*notification, error) {
	n := &notification{in: in, choice: choice{trigger: in.Notice.Name}}
	switch e := in.Event; {
	case e.Kind == event.KindRun && transitionOf(e) != nil:
		n.transition = transitionOf(e)
		n.choice = choose(n.transition, in.Subscription, levelFor(in.Subscription, e))
		n.text, n.tone = n.transition.message, n.transition.tone
	case e.Kind == event.KindChangeRequest && e.ChangeRequest != nil:
		n.text, n.tone = "Change Request Created", toneAttention
	case workspaceMessages[in.Notice.Name] != "" && carries(e, in.Notice.Name):
		n.text, n.tone = workspaceMessages[in.Notice.Name], workspaceTone(e, in.Notice.Name)
	default:
		return nil, fmt.Errorf("the event does not hold what %q says", in.Notice.Name)
	}
	return n, nil
}

// carries reports whether the event has the part that the value is about.
func carries(e *event.Event, value string) bool {
	switch value {
	case assessmentDrifted, assessmentCheckFailure, assessmentFailed:
		return e.Assessment != nil
	case autoDestroyReminder, autoDestroyRunResults:
		return e.AutoDestroy != nil
	}
	return value == workspaceDeleted
}

// workspaceTone is the colour of §3.5; a destroy run that ended shows how it ended.
func workspaceTone(e *event.Event, value string) tone {
	switch value {
	case assessmentFailed:
		return toneFailure
	case autoDestroyRunResults:
		if rule, ok := statuses[e.AutoDestroy.RunStatus]; ok && rule.moving != nil {
			return rule.moving.tone
		}
		if e.AutoDestroy.RunError != "" {
			return toneFailure
		}
	}
	return toneAttention
}

func (n *notification) message(channel subscription.Channel) (*delivery.Message, error) {
	var body []byte
	var err error
	switch channel {
	case subscription.ChannelEmail:
		return n.mail(), nil
	case subscription.ChannelSlack:
		body, err = n.slack()
	case subscription.ChannelTeams:
		body, err = n.teams()
	case subscription.ChannelWebhook:
		body, err = encode(n.payload())
	default:
		return nil, fmt.Errorf("there is no format for the channel %q", channel)
	}
	if err != nil {
		return nil, err
	}
	return request(channel, n.in.Site, body), nil
}

func (n *notification) payload() any {
	switch {
	case n.transition != nil:
		return newRunPayload(n.in, n.transition, n.choice)
	case n.in.Event.Kind == event.KindChangeRequest:
		return newChangeRequestPayload(n.in)
	}
	return newWorkspacePayload(n.in, n.choice.trigger)
}

// request is a message with the headers of §2, but for the signature.
func request(channel subscription.Channel, site dialect.Site, body []byte) *delivery.Message {
	msg := &delivery.Message{Channel: channel, Method: "POST", Body: body, Timeout: attemptTimeout}
	msg.Set("Content-Type", "application/json")
	msg.Set("Accept", "application/json")
	msg.Set("User-Agent", site.UserAgent())
	return msg
}
