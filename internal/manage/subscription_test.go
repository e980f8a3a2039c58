package manage_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// change is what Update gets.
type change = func(*subscription.Subscription, *subscription.Secrets) error

func TestEverySaveMakesAVersion(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.engine.told()
	s.clock.advance(time.Second)
	updated := must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, s.hook.ID, dialect.SaveOptions{},
		func(x *subscription.Subscription, _ *subscription.Secrets) error {
			x.Name, x.Enabled = "renamed", false
			x.ID, x.OrganizationID, x.Dialect, x.Version, x.CreatedBy = 1, s.beta.ID, "other", 9, "eve"
			return nil
		}))
	if updated.Version != 2 || updated.Name != "renamed" || updated.ID != s.hook.ID || updated.OrganizationID != s.acme.ID ||
		updated.Dialect != "plain" || updated.CreatedBy != s.hook.CreatedBy || !updated.UpdatedAt.After(s.hook.UpdatedAt) {
		t.Errorf("updated = %+v", updated)
	}
	if held := s.index.Get(s.hook.ID); held.Version != 2 || held.Enabled {
		t.Errorf("the index holds %+v", held)
	}
	if told := s.engine.told(); !slices.Equal(told, []ident.ID{s.hook.ID}) {
		t.Errorf("the engine was told of %v", told)
	}
	for version, name := range map[int64]string{1: "hook", 2: "renamed"} {
		got, err := s.Version(s.ctx, s.hook.ID, version)
		if err != nil || got.Name != name || got.Version != version {
			t.Errorf("version %d = %+v, %v", version, got, err)
		}
	}
	if _, err := s.Version(s.ctx, s.hook.ID, 3); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("version 3: %v", err)
	}
}

func TestSubscriptionsOfOneAddressShareALane(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	save := func(change func(*subscription.Subscription, *subscription.Secrets)) subscription.Subscription {
		t.Helper()
		draft, plain := at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID), hookSecrets
		change(&draft, &plain)
		return must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, draft, plain, dialect.SaveOptions{}))
	}
	same := save(func(x *subscription.Subscription, _ *subscription.Secrets) {
		x.Dialect, x.Channel = "other", subscription.ChannelSlack
	})
	elsewhere := save(func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL += "2" })
	mail := func(x *subscription.Subscription, p *subscription.Secrets) {
		x.Channel, x.Emails, p.URL = subscription.ChannelEmail, []string{"a@x.org"}, ""
	}
	first, second := save(mail), save(mail)
	foreign := s.subscribe(s.beta.ID, subscription.LevelOrganization, s.beta.ID)
	if same.Destination != s.hook.Destination || s.hook.Destination == 0 {
		t.Error("one address, two lanes")
	}
	if elsewhere.Destination == s.hook.Destination || first.Destination == second.Destination || foreign.Destination == s.hook.Destination {
		t.Error("a lane is shared that should not be")
	}
	if !strings.HasPrefix(s.hook.Address, "https://hooks.example/…") || strings.Contains(s.hook.Address, "secret-path") || elsewhere.Address == s.hook.Address {
		t.Errorf("addresses = %q, %q", s.hook.Address, elsewhere.Address)
	}
	if unnamed := save(func(x *subscription.Subscription, _ *subscription.Secrets) { x.Name = "" }); unnamed.Name != unnamed.Address {
		t.Errorf("unnamed = %q", unnamed.Name)
	}
}

func TestSubscriptionChecks(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.member(s.acme.ID, "ada@x.org", "")
	eve := s.member(s.beta.ID, "eve@x.org", "")
	many := make([]string, 501)
	for i := range many {
		many[i] = string(rune('a'+i%26)) + strings.Repeat("x", i/26)
	}
	cases := map[string]struct {
		field  string // "" when it is to be accepted
		change func(*subscription.Subscription, *subscription.Secrets)
		option dialect.SaveOptions
	}{
		"as it is":            {"", func(*subscription.Subscription, *subscription.Secrets) {}, dialect.SaveOptions{}},
		"unknown dialect":     {"/dialect", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Dialect = "none" }, dialect.SaveOptions{}},
		"unknown channel":     {"/channel", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Channel = "fax" }, dialect.SaveOptions{}},
		"channel not offered": {"/channel", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Channel = subscription.ChannelTeams }, dialect.SaveOptions{}},
		"name too long":       {"/name", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Name = strings.Repeat("n", 256) }, dialect.SaveOptions{}},
		"no URL":              {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL = "" }, dialect.SaveOptions{}},
		"relative URL":        {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL = "/hook" }, dialect.SaveOptions{}},
		"other scheme":        {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL = "file:///etc/passwd" }, dialect.SaveOptions{}},
		"no host":             {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL = "http:///x" }, dialect.SaveOptions{}},
		"URL too long": {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) {
			p.URL = "https://x.org/" + strings.Repeat("x", 2048)
		}, dialect.SaveOptions{}},
		"address refused by the guard": {"/url", func(_ *subscription.Subscription, p *subscription.Secrets) { p.URL = "http://127.0.0.1/hook" }, dialect.SaveOptions{}},
		"a dialect that asks the guard when it sends": {"", func(x *subscription.Subscription, p *subscription.Secrets) {
			x.Dialect, p.URL = "other", "http://127.0.0.1/hook"
		}, dialect.SaveOptions{}},
		"mail with a URL": {"/url", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Channel = subscription.ChannelEmail }, dialect.SaveOptions{}},
		"trigger, not a URL": {"", func(x *subscription.Subscription, p *subscription.Secrets) {
			x.Channel, p.URL = subscription.ChannelTrigger, "net/prod"
		}, dialect.SaveOptions{}},
		"trigger, unreadable": {"/url", func(x *subscription.Subscription, p *subscription.Secrets) {
			x.Channel, p.URL = subscription.ChannelTrigger, "a\nb"
		}, dialect.SaveOptions{}},
		"work for a dialect that does none": {"/channel", func(x *subscription.Subscription, p *subscription.Secrets) {
			x.Channel, p.URL = subscription.ChannelWork, "plain:1"
		}, dialect.SaveOptions{}},
		"mail address":       {"/emails/1", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Emails = []string{"a@x.org", "b"} }, dialect.SaveOptions{}},
		"named mail address": {"/emails/0", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Emails = []string{"A <a@x.org>"} }, dialect.SaveOptions{}},
		"member":             {"", func(x *subscription.Subscription, _ *subscription.Secrets) { x.UserIDs = []ident.ID{ada.UserID} }, dialect.SaveOptions{}},
		"no member":          {"/user_ids/0", func(x *subscription.Subscription, _ *subscription.Secrets) { x.UserIDs = []ident.ID{eve.UserID} }, dialect.SaveOptions{}},
		"unlisted trigger":   {"", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Triggers = []string{"own:word"} }, dialect.SaveOptions{}},
		"unlisted trigger, strictly": {"/triggers/0", func(x *subscription.Subscription, _ *subscription.Secrets) {
			x.Triggers = []string{"own:word"}
		}, dialect.SaveOptions{Strict: true}},
		"empty trigger":     {"/triggers/1", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Triggers = []string{"run:any", ""} }, dialect.SaveOptions{}},
		"too many triggers": {"/triggers", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Triggers = many }, dialect.SaveOptions{}},
		"unknown level":     {"/scopes/0/level", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Scopes[0].Level = "planet" }, dialect.SaveOptions{}},
		"unknown workspace": {"/scopes/0/id", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Scopes[0].ID = 42 }, dialect.SaveOptions{}},
		"scope twice":       {"/scopes/1", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Scopes = append(x.Scopes, x.Scopes[0]) }, dialect.SaveOptions{}},
		"no scope":          {"", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Scopes = nil }, dialect.SaveOptions{}},
		"configuration set": {"", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Scopes[0] = environmentScope(s.acme.ID) }, dialect.SaveOptions{}},
		"header name":       {"/headers/0/name", func(_ *subscription.Subscription, p *subscription.Secrets) { p.Headers = map[string]string{"a b": "1"} }, dialect.SaveOptions{}},
		"header value": {"/headers/0/value", func(_ *subscription.Subscription, p *subscription.Secrets) {
			p.Headers = map[string]string{"a": "1\r\nb: 2"}
		}, dialect.SaveOptions{}},
		"header twice": {"/headers/1/name", func(_ *subscription.Subscription, p *subscription.Secrets) {
			p.Headers = map[string]string{"X-A": "1", "x-a": "2"}
		}, dialect.SaveOptions{}},
		"secret too long":    {"/secret", func(_ *subscription.Subscription, p *subscription.Secrets) { p.Secret = strings.Repeat("s", 4097) }, dialect.SaveOptions{}},
		"settings, not JSON": {"/settings", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Settings = json.RawMessage(`{`) }, dialect.SaveOptions{}},
		"too many attempts":  {"/delivery/max_attempts", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.MaxAttempts = 1001 }, dialect.SaveOptions{}},
		"negative timeout":   {"/delivery/timeout", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.Timeout = -1 }, dialect.SaveOptions{}},
		"negative rate":      {"/delivery/per_second", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.PerSecond = -1 }, dialect.SaveOptions{}},
		"too much at a time": {"/delivery/concurrency", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.Concurrency = 101 }, dialect.SaveOptions{}},
		"fallback":           {"", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.Fallback = s.hook.ID }, dialect.SaveOptions{}},
		"unknown fallback":   {"/delivery/fallback", func(x *subscription.Subscription, _ *subscription.Secrets) { x.Delivery.Fallback = 42 }, dialect.SaveOptions{}},
		"external identifier": {"/external_ids/plain", func(x *subscription.Subscription, _ *subscription.Secrets) {
			x.ExternalIDs = map[string]string{"plain": ""}
		}, dialect.SaveOptions{}},
		"no name of a dialect": {"/external_ids", func(x *subscription.Subscription, _ *subscription.Secrets) {
			x.ExternalIDs = map[string]string{"a:b": "c"}
		}, dialect.SaveOptions{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			draft, plain := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID), hookSecrets
			c.change(&draft, &plain)
			_, err := s.Subscriptions().Create(s.ctx, admin, draft, plain, c.option)
			if c.field == "" {
				wantCode(t, err, "")
				return
			}
			wantCode(t, err, fault.Invalid)
			wantField(t, err, c.field)
			if err != nil && strings.Contains(err.Error(), "secret-path") {
				t.Errorf("the fault quotes the address: %v", err)
			}
		})
	}
}

func environmentScope(organization ident.ID) subscription.Scope {
	return subscription.Scope{Level: subscription.LevelEnvironment, ID: subscription.EnvironmentScopeID(organization, "p", "e")}
}

func TestTheGuardsReasonIsKept(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, err := s.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.net.ID), subscription.Secrets{URL: "http://127.0.0.1/hook"}, dialect.SaveOptions{})
	if !errors.Is(err, errForbiddenHost) || !strings.Contains(err.Error(), "127.0.0.1 is not allowed") {
		t.Errorf("err = %v", err)
	}
}

func TestADialectsOwnRulesCount(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.plain.refuse = fault.At("/settings/format", "Unknown format.")
	_, err := s.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.net.ID), hookSecrets, dialect.SaveOptions{})
	wantField(t, err, "/settings/format")
}

func TestTriggersKeepTheirOrderAndComeOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	draft := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	draft.Triggers = []string{"b", "a", "b"}
	saved := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, dialect.SaveOptions{}))
	if !slices.Equal(saved.Triggers, []string{"b", "a"}) {
		t.Errorf("triggers = %v", saved.Triggers)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	verify := dialect.SaveOptions{Verify: true}
	cases := map[string]struct {
		status int
		enable bool
		silent bool
		sent   int
		want   fault.Code
	}{
		"answered with success":   {204, true, false, 1, ""},
		"answered with a failure": {404, true, false, 1, fault.Unverified},
		"not answered":            {0, true, false, 1, fault.Unverified},
		"switched off":            {404, false, false, 0, ""},
		"nothing to send":         {404, true, true, 0, ""},
	}
	for name, c := range cases {
		t.Run("create, "+name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.engine.status, s.plain.silent = c.status, c.silent
			draft := at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID)
			draft.Enabled = c.enable
			before := s.index.Len()
			_, err := s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, verify)
			wantVerdict(t, err, c.want, c.status)
			wantSent(t, s, c.sent)
			if saved := s.index.Len() - before; (saved == 1) != (c.want == "") || s.count(store.KindSubscription, 0) != s.index.Len() {
				t.Errorf("%d subscriptions were saved", saved)
			}
		})
		t.Run("update, "+name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.engine.status, s.plain.silent = c.status, c.silent
			_, err := s.Subscriptions().Update(s.ctx, admin, s.hook.ID, verify, func(x *subscription.Subscription, p *subscription.Secrets) error {
				x.Enabled, x.Name, p.URL = c.enable, "renamed", "https://hooks.example/new"
				return nil
			})
			wantVerdict(t, err, c.want, c.status)
			wantSent(t, s, c.sent)
			if held := s.index.Get(s.hook.ID); (held.Name == "renamed") != (c.want == "") {
				t.Errorf("held = %+v", held)
			}
			if c.sent > 0 && s.engine.sent[0].Secrets.URL != "https://hooks.example/new" {
				t.Error("another address was verified than the one to be saved")
			}
		})
	}
}

func TestVerificationByAGivenTest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.engine.status, s.plain.silent = 204, true
	test := &delivery.Message{Channel: subscription.ChannelWebhook, Method: "POST", Body: []byte("given")}
	draft := at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID)
	draft.Enabled = true
	must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, dialect.SaveOptions{Verify: true, Test: test}))
	wantSent(t, s, 1)
	if s.engine.sent[0].Message != test {
		t.Error("something else was sent")
	}
	s.engine.status = 500
	_, err := s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, dialect.SaveOptions{Verify: true, Test: test})
	wantVerdict(t, err, fault.Unverified, 500)
}

func wantVerdict(t *testing.T, err error, code fault.Code, status int) {
	t.Helper()
	wantCode(t, err, code)
	if code == "" {
		return
	}
	failed, ok := errors.AsType[*dialect.VerificationError](err)
	if !ok || failed.Attempt.Result.Status != status {
		t.Errorf("err = %v carries %+v", err, failed)
	}
}

func wantSent(t *testing.T, s *scene, n int) {
	t.Helper()
	if len(s.engine.sent) != n {
		t.Fatalf("%d test requests were sent, want %d", len(s.engine.sent), n)
	}
	for _, single := range s.engine.sent {
		d := single.Delivery
		if d.Cause != delivery.CauseVerification || d.ID == 0 || d.Destination != single.Subscription.Destination || d.Event != 0 {
			t.Errorf("delivery = %+v", d)
		}
	}
}

func TestVerifyAndSend(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.engine.status = 404
	attempt, err := s.Subscriptions().Verify(s.ctx, admin, s.hook.ID)
	wantVerdict(t, err, fault.Unverified, 404)
	if attempt.Result.Status != 404 {
		t.Errorf("attempt = %+v", attempt)
	}
	ping := &delivery.Message{Body: []byte("ping")}
	attempt, err = s.Subscriptions().Send(s.ctx, admin, s.hook.ID, ping)
	if err != nil || attempt.Result.Status != 404 || s.engine.sent[1].Message != ping || s.engine.sent[1].Secrets.Secret != hookSecrets.Secret {
		t.Errorf("attempt = %+v, %v", attempt, err)
	}
	s.engine.fail = errors.New("the node is stopping")
	if _, err = s.Subscriptions().Verify(s.ctx, admin, s.hook.ID); !errors.Is(err, s.engine.fail) || fault.CodeOf(err) != fault.Internal {
		t.Errorf("err = %v", err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	draft := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	limit := dialect.SaveOptions{Limit: 2}
	create := func(x subscription.Subscription) error {
		_, err := s.Subscriptions().Create(s.ctx, admin, x, hookSecrets, limit)
		return err
	}
	wantCode(t, create(draft), "") // the scene has one already
	err := create(draft)
	wantCode(t, err, fault.Conflict)
	wantField(t, err, "/limit")
	draft.Scopes[0].ID = s.dns.ID
	wantCode(t, create(draft), "")
	draft.Scopes[0].ID, draft.Dialect = s.net.ID, "other"
	wantCode(t, create(draft), "")
	_, err = s.Subscriptions().Update(s.ctx, admin, s.hook.ID, limit, func(x *subscription.Subscription, _ *subscription.Secrets) error { return nil })
	wantCode(t, err, "")
}

func TestSecretRotation(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	set := func(o dialect.SaveOptions, secret string) subscription.Subscription {
		t.Helper()
		return must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, s.hook.ID, o, func(_ *subscription.Subscription, p *subscription.Secrets) error {
			p.Secret = secret
			return nil
		}))
	}
	plain := func() subscription.Secrets {
		t.Helper()
		return must[subscription.Secrets](t)(s.Subscriptions().Reveal(s.ctx, admin, s.hook.ID))
	}
	overlap := dialect.SaveOptions{Overlap: 24 * time.Hour}

	rotated := set(overlap, "second")
	if p := plain(); p.Secret != "second" || p.Prior != hookSecrets.Secret || !rotated.PriorUntil.Equal(s.clock.Now().Add(24*time.Hour)) {
		t.Errorf("after rotating: prior until %v", rotated.PriorUntil)
	}
	if kept := set(overlap, "second"); kept.PriorSecret != rotated.PriorSecret || !kept.PriorUntil.Equal(rotated.PriorUntil) {
		t.Error("saving without a new secret touched the one before")
	}
	if p := plain(); p.Prior != hookSecrets.Secret {
		t.Error("the secret before was lost by another change")
	}
	s.clock.advance(25 * time.Hour)
	if p := plain(); p.Prior != "" {
		t.Error("the secret before still counts after its time")
	}
	if later := set(dialect.SaveOptions{}, "third"); later.PriorSecret != "" || !later.PriorUntil.IsZero() {
		t.Error("a change without overlap kept a secret")
	}
	set(overlap, "fourth")
	if cleared := set(overlap, ""); cleared.Secret != "" || cleared.PriorSecret != "" {
		t.Error("a removed secret still signs")
	}
	if first := set(overlap, "fifth"); first.PriorSecret != "" {
		t.Error("no secret can not be the one before")
	}
}

func TestHeadersFollowTheirValues(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	draft := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	draft.Headers = []subscription.Header{{Name: "X-Open"}, {Name: "X-Key", Sensitive: true}, {Name: "X-Dropped"}}
	plain := hookSecrets
	plain.Headers = map[string]string{"X-Key": "k3y", "X-Open": "", "X-New": "n"}
	saved := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, draft, plain, dialect.SaveOptions{}))
	var names []string
	for _, h := range saved.Headers {
		names = append(names, h.Name)
	}
	if !slices.Equal(names, []string{"X-Open", "X-Key", "X-New"}) || !saved.Headers[2].Sensitive || saved.Headers[0].Sensitive {
		t.Errorf("headers = %+v", saved.Headers)
	}
	sealed := saved.Headers[1].Value
	updated := must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, saved.ID, dialect.SaveOptions{}, func(_ *subscription.Subscription, p *subscription.Secrets) error {
		delete(p.Headers, "X-New")
		p.Headers["X-Open"] = "now"
		return nil
	}))
	if len(updated.Headers) != 2 || updated.Headers[1].Value != sealed {
		t.Errorf("headers = %+v", updated.Headers)
	}
	revealed := must[subscription.Secrets](t)(s.Subscriptions().Reveal(s.ctx, admin, saved.ID))
	if revealed.Headers["X-Open"] != "now" || revealed.Headers["X-Key"] != "k3y" || len(revealed.Headers) != 2 {
		t.Error("the values are not those that were set")
	}
}

func TestFindingSubscriptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	draft := at(s.acme.ID, subscription.LevelProject, s.one.ID)
	draft.Name, draft.Dialect, draft.ExternalIDs = "named", "other", map[string]string{"other": "named-id"}
	named := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, dialect.SaveOptions{}))
	for name, ref := range map[string]estate.Ref{
		"by ID": estate.ByID(named.ID), "by alias": estate.ByAlias("other", "named-id"),
		"by name in the organization": estate.ByName(s.acme.ID, "named"), "by name in the scope": estate.ByName(s.one.ID, "named"),
	} {
		if got, err := s.Subscriptions().Get(s.ctx, admin, ref); err != nil || got.ID != named.ID {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, ref := range map[string]estate.Ref{"nothing": {}, "in another scope": estate.ByName(s.two.ID, "named"), "unknown alias": estate.ByAlias("other", "x")} {
		if _, err := s.Subscriptions().Get(s.ctx, admin, ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.Subscriptions().Create(s.ctx, admin, draft, hookSecrets, dialect.SaveOptions{})
	wantField(t, err, "/external_ids/other")

	scope := subscription.Scope{Level: subscription.LevelWorkspace, ID: s.net.ID}
	for name, c := range map[string]struct {
		p      estate.Principal
		filter dialect.SubscriptionFilter
		want   int
	}{
		"all":                  {admin, dialect.SubscriptionFilter{}, 2},
		"of a dialect":         {admin, dialect.SubscriptionFilter{Dialect: "other"}, 1},
		"of a scope":           {admin, dialect.SubscriptionFilter{Scope: &scope}, 1},
		"of an organization":   {admin, dialect.SubscriptionFilter{Organization: s.beta.ID}, 0},
		"a workspace's reader": {as(estate.RoleReader, s.acme.ID, 0, s.net.ID), dialect.SubscriptionFilter{}, 1},
		"a stranger":           {as(estate.RoleReader, s.beta.ID, 0, 0), dialect.SubscriptionFilter{}, 0},
	} {
		got, err := s.Subscriptions().List(s.ctx, c.p, c.filter)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d subscriptions, %v; want %d", name, len(got), err, c.want)
		}
	}
}

func TestSwitchingOff(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for range 2 {
		if err := s.Switch(s.ctx, s.hook.ID, "the destination is gone"); err != nil {
			t.Fatal(err)
		}
	}
	off := s.index.Get(s.hook.ID)
	if off.Enabled || off.DisabledReason != "the destination is gone" || off.Version != 2 {
		t.Errorf("off = %+v", off)
	}
	on := must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, s.hook.ID, dialect.SaveOptions{}, func(x *subscription.Subscription, _ *subscription.Secrets) error {
		x.Enabled = true
		return nil
	}))
	if on.DisabledReason != "" {
		t.Errorf("on = %+v", on)
	}
	if err := s.Switch(s.ctx, 42, "gone"); err != nil {
		t.Errorf("a subscription that is gone: %v", err)
	}
}
