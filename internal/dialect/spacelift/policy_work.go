package spacelift

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/rego"
	"carillon/internal/store"
)

// Actions of the events that a policy's verdict becomes.
const (
	actionInternalError = "internal_error"
	actionInbox         = "inbox"
	actionSample        = "policy_sample"
)

// Work evaluates a notification policy on an event and stores what follows: deliveries to named webhooks, notes, problems
// (§4.4). The events carry keys, so that a second evaluation brings nothing twice.
func (d *Dialect) Work(ctx context.Context, s dialect.Services, msg *delivery.Message) error {
	e, err := event.Decode(msg.Body)
	if err != nil {
		return fault.New(fault.Malformed, "The message holds no event.")
	}
	id, err := ident.Parse(strings.TrimPrefix(msg.URL, policyScheme))
	if err != nil {
		return fault.New(fault.NotFound, "The address names no policy.")
	}
	account, err := s.Organizations.Get(ctx, estate.System(), estate.ByID(e.Organization.ID))
	if err != nil {
		return err
	}
	c := &call{api: &api{Services: s, dialect: d}, who: estate.System(), signedIn: true, account: account}
	record, err := s.Documents.Get(ctx, c.who, estate.Place{OrganizationID: account.ID}, store.KindPolicy, id)
	if fault.Is(err, fault.NotFound) {
		return nil // the policy was deleted meanwhile
	}
	if err != nil {
		return err
	}
	p, ok, err := decodePolicy(record)
	if err != nil || !ok || p.Type != policyNotification {
		return err
	}
	return c.judge(context.WithValue(ctx, callKey{}, c), &p, e)
}

// judge evaluates a policy and stores what follows.
func (c *call) judge(ctx context.Context, p *policyRecord, e *event.Event) error {
	j := &judgement{call: c, policy: p, about: e}
	if err := j.evaluate(ctx); err != nil {
		return err
	}
	if len(j.events) == 0 {
		return nil
	}
	_, err := c.Events.Accept(ctx, estate.System(), j.events)
	return err
}

// judgement is one evaluation.
type judgement struct {
	*call
	policy *policyRecord
	about  *event.Event
	events []event.Event
}

func (j *judgement) evaluate(ctx context.Context) error {
	named, err := j.reachable(ctx)
	if err != nil {
		return err
	}
	input, err := j.policyInput(ctx, j.about, endpointsOf(named))
	if err != nil {
		return err
	}
	compiled, err := j.dialect.policies().compile(ctx, j.policy.Engine, j.policy.Body, j.sanitized)
	if errors.Is(err, rego.ErrUnavailable) {
		return fault.New(fault.Unsupported, "This build evaluates no policies.")
	}
	if err != nil {
		j.problem("the policy does not compile: " + err.Error())
		return nil
	}
	rules, err := compiled.Eval(ctx, input)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		j.problem(err.Error())
		return nil
	}
	v, problems := readVerdict(rules)
	for _, each := range problems {
		j.problem(each)
	}
	if err := j.apply(v, named); err != nil {
		return err
	}
	if v.Sample {
		return j.sample(input, rules)
	}
	return nil
}

// apply turns a verdict into events.
func (j *judgement) apply(v verdict, named []*namedTarget) error {
	for _, rule := range v.Webhook {
		if err := j.route(rule, named); err != nil {
			return err
		}
	}
	for _, rule := range v.Inbox {
		j.note(rule)
	}
	for range v.Slack {
		j.Log.Info("a policy's slack rule is skipped: no Slack app is configured", "dialect", Name, "org", j.account.ID, "event", j.about.ID)
	}
	for range v.PullRequest {
		j.Log.Info("a policy's pull_request rule is skipped: it is not supported", "dialect", Name, "org", j.account.ID, "event", j.about.ID)
	}
	return nil
}

// follow is an event that follows from this evaluation. Equal results of several policies have one key, so that they make
// one event.
func (j *judgement) follow(kind event.Kind, action, key string) event.Event {
	return event.Event{
		Key: fmt.Sprintf("%s:policy:%s:%s", Name, j.about.ID, key), Kind: kind, Action: action, OccurredAt: j.about.OccurredAt,
		Organization: event.Organization{ID: j.account.ID, Name: j.account.Name},
		Source:       event.Source{Kind: "notifier", Metadata: map[string]string{"policy": j.policy.ID, "event": j.about.ID.String()}},
	}
}

// problem raises an internal error, but not about one: that would go round (§3.3).
func (j *judgement) problem(reason string) {
	if j.about.Kind == event.KindAccount || j.about.Kind == event.KindNotifier {
		j.Log.Warn("a policy failed on an internal error", "dialect", Name, "org", j.account.ID, "event", j.about.ID, "reason", reason)
		return
	}
	e := j.follow(event.KindAccount, actionInternalError, "error:"+j.policy.ID+":"+digest([]byte(reason)))
	e.Account = &event.Account{
		Severity: "error", Title: "Notification policy failed", Cause: reason,
		Body: fmt.Sprintf("The notification policy %q could not be carried out.", j.policy.Name),
	}
	if project := j.about.Project; project != nil {
		e.Project = &event.Project{ID: project.ID, Name: project.Name}
	}
	j.events = append(j.events, e)
}

// note keeps a message in the account's own list.
func (j *judgement) note(rule inboxRule) {
	e := j.follow(event.KindAccount, actionInbox, "inbox:"+digest([]byte(rule.Title+"\x00"+rule.Body+"\x00"+rule.Severity)))
	title, body := rule.Title, rule.Body
	if j.about.Run != nil && j.about.Workspace != nil {
		if title == "" {
			title = fmt.Sprintf("Run %s is %s", runID(j.about.Run), stepOf(j.about).word)
		}
		if body == "" {
			body = runURL(j.Site, j.about)
		}
	}
	if title == "" {
		title = "Notification"
	}
	e.Account = &event.Account{Severity: severity(rule.Severity), Title: title, Body: body}
	j.events = append(j.events, e)
}

// severity is a rule's word as events have it; anything else is information.
func severity(word string) string {
	switch word {
	case severityWarning:
		return "warning"
	case severityError:
		return "error"
	}
	return "info"
}

// sample keeps an evaluation's input and result.
func (j *judgement) sample(input json.RawMessage, rules rego.Rules) error {
	body, err := encode(map[string]any{"policy": j.policy.ID, "input": input, "result": rules})
	if err != nil {
		return err
	}
	e := j.follow(event.KindOther, actionSample, "sample:"+j.policy.ID)
	e.Native = &event.Native{Dialect: Name, Kind: actionSample, ContentType: "application/json", Body: body}
	j.events = append(j.events, e)
	return nil
}

// digest is short and different for different contents.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:12])
}
