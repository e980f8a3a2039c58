package manage_test

import (
	"errors"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

func TestAFailingChangeSavesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stop := errors.New("stop")
	for name, f := range map[string]change{
		"refused by the caller": func(x *subscription.Subscription, _ *subscription.Secrets) error { x.Name = "x"; return stop },
		"refused by a check":    func(x *subscription.Subscription, p *subscription.Secrets) error { x.Name, p.URL = "x", ""; return nil },
	} {
		if _, err := s.Subscriptions().Update(s.ctx, admin, s.hook.ID, dialect.SaveOptions{}, f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if held := s.index.Get(s.hook.ID); held.Name != "hook" || held.Version != 1 {
		t.Errorf("held = %+v", held)
	}
	_, err := s.Subscriptions().Update(s.ctx, admin, 42, dialect.SaveOptions{}, func(*subscription.Subscription, *subscription.Secrets) error { return nil })
	wantCode(t, err, fault.NotFound)
}
