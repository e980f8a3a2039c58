package httpapi_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// plain is a dialect of few words that can do everything that the API shows.
type plain struct{}

func (plain) Name() string  { return "plain" }
func (plain) Title() string { return "Plain" }

func (plain) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook, subscription.ChannelEmail}
}

func (plain) Triggers(level subscription.Level) []dialect.Trigger {
	triggers := []dialect.Trigger{
		{Value: "run:applied", Title: "Applied", Group: "Runs"},
		{Value: "run:errored", Title: "Errored", Group: "Runs"},
		{Value: "run:done", Title: "Done", Group: "Runs", Deprecated: true},
	}
	switch level {
	case subscription.LevelOrganization, subscription.LevelWorkspace:
		return append(triggers, dialect.Trigger{Value: "workspace:deleted", Title: "Deleted"})
	case subscription.LevelProject:
		return triggers
	}
	return nil
}

func (plain) Notices(e *event.Event) []subscription.Notice {
	switch e.Kind {
	case event.KindRun:
		return []subscription.Notice{{Name: string(e.Run.Status), Triggers: []string{"run:" + string(e.Run.Status)}}}
	case event.KindWorkspace:
		return []subscription.Notice{{Name: e.Action, Triggers: []string{"workspace:" + e.Action}}}
	}
	return nil
}

func (plain) Render(in dialect.Input) (*delivery.Message, error) {
	if string(in.Subscription.Settings) == `"broken"` {
		return nil, fault.New(fault.Invalid, "The settings say that this must fail.")
	}
	if in.Subscription.Channel == subscription.ChannelEmail {
		return &delivery.Message{Mail: &delivery.Mail{Recipients: in.Recipients, Subject: in.Notice.Name, Text: "It is " + in.Notice.Name + "."}}, nil
	}
	body := map[string]string{"notice": in.Notice.Name, "organization": in.Event.Organization.Name}
	if in.Event.Run != nil {
		body["run"] = in.Event.Run.SourceID
	}
	text, err := json.Marshal(body)
	msg := &delivery.Message{Body: text, Trigger: in.Notice.Name}
	msg.Set("Content-Type", "application/json")
	return msg, err
}

func (plain) Sign(msg *delivery.Message, s dialect.Signing) {
	for _, secret := range s.Secrets {
		msg.Add("X-Signature", signature(secret, msg.Body))
	}
}

func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (plain) Policy(*subscription.Subscription) delivery.Policy {
	return delivery.Policy{Waits: []time.Duration{5 * time.Second, 30 * time.Second}, Timeout: 10 * time.Second}
}

func (plain) StandardByDefault() bool { return false }

func (plain) Verification(s *subscription.Subscription, _ dialect.Site, _ time.Time) (*delivery.Message, error) {
	if s.Channel == subscription.ChannelEmail {
		return nil, nil
	}
	return &delivery.Message{Body: []byte(`{"notice":"verification"}`), Trigger: "verification"}, nil
}

// Receive reads {"run":"r1","status":"applied","key":"k"} under X-Signature, or {"verification":true}.
func (plain) Receive(in dialect.Inbound) (dialect.Received, error) {
	genuine := in.Unsigned
	for _, secret := range in.Secrets {
		genuine = genuine || hmac.Equal([]byte(in.Header.Get("X-Signature")), []byte(signature(secret, in.Body)))
	}
	if !genuine {
		return dialect.Received{}, fault.New(fault.Unauthorized, "The signature is wrong.")
	}
	var body struct {
		Run, Status, Key string
		Verification     bool
	}
	if err := json.Unmarshal(in.Body, &body); err != nil {
		return dialect.Received{}, fault.New(fault.Malformed, "The body is not JSON.")
	}
	switch {
	case body.Verification:
		return dialect.Received{Verified: true, Status: 202, Body: []byte("verified")}, nil
	case body.Status == "impossible":
		return dialect.Received{}, errors.New("a bug of the dialect")
	case body.Status == "":
		return dialect.Received{Body: []byte(`{}`)}, nil
	}
	e := event.Event{
		Kind: event.KindRun, Key: body.Key, OccurredAt: in.At, Organization: event.Organization{Name: "whatever the payload says"},
		Workspace: &event.Workspace{Name: "inbound"}, Run: &event.Run{SourceID: body.Run, Status: event.Status(body.Status)},
		Native: &event.Native{Dialect: "plain", ContentType: "application/json", Body: in.Body},
	}
	if in.Project != "" {
		e.Project = &event.Project{Name: in.Project}
	}
	return dialect.Received{Events: []event.Event{e}, Body: []byte(`{}`)}, nil
}

// mute is a dialect that can do no more than it must.
type mute struct{}

func (mute) Name() string                                      { return "mute" }
func (mute) Title() string                                     { return "Mute" }
func (mute) Notices(*event.Event) []subscription.Notice        { return nil }
func (mute) Render(dialect.Input) (*delivery.Message, error)   { return nil, errors.New("no words") }
func (mute) Sign(*delivery.Message, dialect.Signing)           {}
func (mute) Policy(*subscription.Subscription) delivery.Policy { return delivery.Policy{} }
func (mute) Triggers(subscription.Level) []dialect.Trigger     { return nil }
func (mute) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook}
}
