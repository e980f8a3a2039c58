package manage_test

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// RepeatsHeaders is true of the dialect that judges addresses late.
func (d *plainDialect) RepeatsHeaders() bool { return d.late }

// TestRepeatedHeaders keeps several lines of one name where the dialect has them, each with its own value.
func TestRepeatedHeaders(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	hook := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	hook.Headers = []subscription.Header{{Name: "X-A"}, {Name: "X-B"}, {Name: "x-a", Sensitive: true}}
	plain := subscription.Secrets{URL: "https://a.example", Headers: map[string]string{"X-A": "1", "X-B": "2", "x-a 2": "3"}}
	_, err := s.Subscriptions().Create(s.ctx, admin, hook, plain, dialect.SaveOptions{})
	wantCode(t, err, fault.Invalid)
	hook.Dialect = "other"
	saved := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, hook, plain, dialect.SaveOptions{}))
	saved = must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, saved.ID, dialect.SaveOptions{}, func(_ *subscription.Subscription, plain *subscription.Secrets) error {
		plain.Headers["X-B"] = "4"
		return nil
	}))
	got := must[subscription.Secrets](t)(s.Subscriptions().Reveal(s.ctx, admin, saved.ID)).Headers
	if len(saved.Headers) != 3 || saved.Headers[2].Name != "x-a" || !saved.Headers[2].Sensitive || len(got) != 3 || got["X-A"] != "1" || got["X-B"] != "4" || got["x-a 2"] != "3" {
		t.Errorf("got %v, %v", saved.Headers, got)
	}
}
