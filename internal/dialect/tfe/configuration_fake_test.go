package tfe

import (
	"context"
	"net/http"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// configurations are subscriptions in memory. What destinations answer is decided by answer; nothing is contacted.
type configurations struct {
	world   *world
	items   []subscription.Subscription
	secrets map[ident.ID]subscription.Secrets
	last    map[ident.ID]*delivery.Attempt

	answer  func(url string) delivery.Result
	sent    []*delivery.Message // verifications and test mails
	forbids func(url string) bool
}

func newConfigurations(w *world) *configurations {
	return &configurations{
		world: w, secrets: map[ident.ID]subscription.Secrets{}, last: map[ident.ID]*delivery.Attempt{},
		answer:  func(string) delivery.Result { return answered(http.StatusOK, "ok") },
		forbids: func(string) bool { return false },
	}
}

// answered is the result of an attempt that got an answer.
func answered(status int, body string) delivery.Result {
	return delivery.Result{
		Class: delivery.ClassAnswered, Status: status, StartedAt: at("2019-01-08T21:34:37.9Z"), Duration: time.Millisecond,
		Response: &delivery.Response{Status: status, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(body)},
	}
}

func (c *configurations) edits(p estate.Principal, s *subscription.Subscription) bool {
	return p.May(estate.RoleAdmin, estate.Place{OrganizationID: s.OrganizationID})
}

func (c *configurations) save(s *subscription.Subscription, plain subscription.Secrets, o dialect.SaveOptions) error {
	if c.forbids(plain.URL) {
		return fault.At("/url", "The address is not allowed.")
	}
	if o.Verify && s.Enabled {
		return c.verify(s, plain)
	}
	return nil
}

func (c *configurations) verify(s *subscription.Subscription, plain subscription.Secrets) error {
	msg, err := New().Verification(s, sampleSite, c.world.now)
	if err != nil || msg == nil {
		return err
	}
	c.sent = append(c.sent, msg)
	result := c.answer(plain.URL)
	attempt := delivery.Attempt{Result: result}
	if result.Response != nil {
		c.last[s.ID] = &attempt
	}
	if !result.OK() {
		return &fault.Error{Code: fault.Unverified, Message: "No success.", Cause: &dialect.VerificationError{Attempt: attempt}}
	}
	return nil
}

func (c *configurations) Create(_ context.Context, p estate.Principal, s subscription.Subscription, plain subscription.Secrets, o dialect.SaveOptions) (subscription.Subscription, error) {
	if !c.edits(p, &s) {
		return s, fault.New(fault.Forbidden, "You may not.")
	}
	same := 0
	for i := range c.items {
		if slices.Equal(c.items[i].Scopes, s.Scopes) {
			same++
		}
	}
	if o.Limit > 0 && same >= o.Limit {
		return s, &fault.Error{Code: fault.Conflict, Field: "/limit", Message: "There are too many."}
	}
	s.ID, s.Version, s.CreatedAt, s.UpdatedAt = c.world.id(), 1, c.world.now, c.world.now
	if err := c.save(&s, plain, o); err != nil {
		return s, err
	}
	c.items = append(c.items, *s.Clone())
	c.secrets[s.ID] = plain
	return s, nil
}

func (c *configurations) find(p estate.Principal, ref estate.Ref) (int, error) {
	for i := range c.items {
		s := &c.items[i]
		given := s.ExternalIDs[Name]
		if (s.ID == ref.ID || given != "" && estate.Alias(Name, given) == ref.Alias) && p.May(estate.RoleReader, estate.Place{OrganizationID: s.OrganizationID}) {
			return i, nil
		}
	}
	return 0, fault.Missing("subscription", ref.Alias)
}

func (c *configurations) Get(_ context.Context, p estate.Principal, ref estate.Ref) (subscription.Subscription, error) {
	i, err := c.find(p, ref)
	if err != nil {
		return subscription.Subscription{}, err
	}
	return *c.items[i].Clone(), nil
}

func (c *configurations) List(_ context.Context, _ estate.Principal, filter dialect.SubscriptionFilter) ([]subscription.Subscription, error) {
	var list []subscription.Subscription
	for i := range c.items {
		if c.items[i].Dialect == filter.Dialect && slices.Contains(c.items[i].Scopes, *filter.Scope) {
			list = append(list, *c.items[i].Clone())
		}
	}
	return list, nil
}

func (c *configurations) Update(_ context.Context, p estate.Principal, id ident.ID, o dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	i, err := c.find(p, estate.ByID(id))
	if err != nil {
		return subscription.Subscription{}, err
	}
	next, plain := c.items[i].Clone(), c.secrets[id]
	if err := change(next, &plain); err != nil {
		return *next, err
	}
	if err := c.save(next, plain, o); err != nil {
		return *next, err
	}
	next.Version, next.UpdatedAt = next.Version+1, c.world.now
	c.items[i], c.secrets[id] = *next, plain
	return *next.Clone(), nil
}

func (c *configurations) Delete(_ context.Context, p estate.Principal, id ident.ID) error {
	i, err := c.find(p, estate.ByID(id))
	if err == nil {
		c.items = slices.Delete(c.items, i, i+1)
	}
	return err
}

func (c *configurations) Reveal(_ context.Context, p estate.Principal, id ident.ID) (subscription.Secrets, error) {
	_, err := c.find(p, estate.ByID(id))
	return c.secrets[id], err
}

func (c *configurations) Verify(_ context.Context, p estate.Principal, id ident.ID) (delivery.Attempt, error) {
	i, err := c.find(p, estate.ByID(id))
	if err != nil {
		return delivery.Attempt{}, err
	}
	return delivery.Attempt{}, c.verify(&c.items[i], c.secrets[id])
}

func (c *configurations) Send(_ context.Context, _ estate.Principal, _ ident.ID, msg *delivery.Message) (delivery.Attempt, error) {
	c.sent = append(c.sent, msg)
	return delivery.Attempt{}, nil
}

func (c *configurations) LastAnswer(_ context.Context, _ estate.Principal, id ident.ID) (*delivery.Attempt, error) {
	return c.last[id], nil
}
