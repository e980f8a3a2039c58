package spacelift

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// nativeRouted is the kind of an event that is one delivery which a policy asked for.
const nativeRouted = "routed"

// routed is such a delivery: everything but address, secret and signature.
type routed struct {
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body"`
	Trigger string            `json:"trigger"`
}

// namedTarget is a named webhook that a policy can reach.
type namedTarget struct {
	subscription *subscription.Subscription
	project      string
}

// reachable lists the named webhooks of the policy's space and of the spaces that it inherits from, by identifier.
func (j *judgement) reachable(ctx context.Context) ([]*namedTarget, error) {
	spaces, err := j.inherited(ctx, j.policy.Project)
	if err != nil {
		return nil, err
	}
	all, err := j.namedWebhooks(ctx)
	if err != nil {
		return nil, err
	}
	var found []*namedTarget
	for _, s := range all {
		if project, ok := spaces[s.Scope().ID]; ok {
			found = append(found, &namedTarget{s, project})
		}
	}
	return found, nil
}

// inherited returns the names of a project and of those above it, as far up as each inherits.
func (c *call) inherited(ctx context.Context, project ident.ID) (map[ident.ID]string, error) {
	names := map[ident.ID]string{}
	for range maxSpaceDepth {
		p, err := c.projectByID(ctx, project)
		if err != nil || p == nil {
			return names, err
		}
		names[p.ID] = p.Name
		switch {
		case p.ID == c.account.DefaultProjectID:
			root, err := c.projectOf(ctx, spaceRoot)
			if err != nil || root == nil {
				return names, err
			}
			project = root.ID
		case p.Inherits && p.ParentID != 0:
			project = p.ParentID
		default:
			return names, nil
		}
	}
	return names, nil
}

// endpointsOf are the enabled ones, as policies see them.
func endpointsOf(named []*namedTarget) []endpoint {
	all := []endpoint{}
	for _, n := range named {
		if n.subscription.Enabled {
			all = append(all, endpoint{ID: webhookID(n.subscription), Labels: list(settingsOf(n.subscription).Labels)})
		}
	}
	return all
}

// route makes the event that is a delivery to a named webhook.
func (j *judgement) route(rule webhookRule, named []*namedTarget) error {
	i := slices.IndexFunc(named, func(n *namedTarget) bool { return webhookID(n.subscription) == rule.Endpoint })
	if i < 0 {
		j.problem(fmt.Sprintf("webhook: there is no endpoint %q", rule.Endpoint))
		return nil
	}
	to := named[i]
	if !to.subscription.Enabled {
		return nil
	}
	body, trigger, err := j.bodyFor(rule, to.subscription)
	if err != nil {
		return err
	}
	content, err := json.Marshal(routed{Method: rule.Method, Headers: rule.Headers, Body: string(body), Trigger: trigger})
	if err != nil {
		return err
	}
	e := j.follow(event.KindOther, nativeRouted, "webhook:"+rule.Endpoint+":"+digest(content))
	e.Project = &event.Project{ID: to.subscription.Scope().ID, Name: to.project}
	e.Native = &event.Native{
		Dialect: Name, Kind: nativeRouted, Trigger: namedTrigger(rule.Endpoint), ContentType: "application/json", Body: content,
	}
	j.events = append(j.events, e)
	return nil
}

// bodyFor is the rule's payload, else the default body of what happened.
func (j *judgement) bodyFor(rule webhookRule, to *subscription.Subscription) (body []byte, trigger string, err error) {
	if rule.Custom {
		body, err = encode(rule.Payload)
		return body, nativeCustom, err
	}
	for _, n := range (*Dialect)(nil).Notices(j.about) {
		body, err = bodyOf(dialect.Input{Event: j.about, Notice: n, Subscription: to, Site: j.Site})
		return body, n.Name, err
	}
	return nil, "", fmt.Errorf("the event has no body")
}

// renderRouted makes the message of a routed event. Its headers stand above those of the webhook (§2.1).
func renderRouted(e *event.Event) (*delivery.Message, error) {
	var r routed
	if err := json.Unmarshal(e.Native.Body, &r); err != nil {
		return nil, fmt.Errorf("read what the policy asked for: %w", err)
	}
	msg := request([]byte(r.Body))
	msg.Method, msg.Trigger = r.Method, r.Trigger
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		msg.Set(name, r.Headers[name])
		msg.Held = append(msg.Held, name)
	}
	return msg, nil
}

// renderPolicy makes the message that asks for an evaluation: the event itself.
func renderPolicy(in dialect.Input) (*delivery.Message, error) {
	body, err := event.Encode(in.Event)
	if err != nil {
		return nil, err
	}
	msg := request(body)
	msg.Channel, msg.Timeout, msg.Trigger = in.Subscription.Channel, 0, in.Notice.Name
	return msg, nil
}
