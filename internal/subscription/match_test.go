package subscription_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

var (
	workspace = subscription.Scope{Level: subscription.LevelWorkspace, ID: 100}
	project   = subscription.Scope{Level: subscription.LevelProject, ID: 10}
	org       = subscription.Scope{Level: subscription.LevelOrganization, ID: 1}
	team      = subscription.Scope{Level: subscription.LevelTeam, ID: 50}
	places    = []subscription.Scope{workspace, project, org}
)

func TestJudge(t *testing.T) {
	t.Parallel()
	notice := subscription.Notice{Name: "errored", Triggers: []string{"run:errored", "run:run_canceled"}}
	orgOnly := subscription.Notice{Name: "created", Triggers: []string{"created"}, Levels: []subscription.Level{subscription.LevelOrganization}}
	unlisted := subscription.Notice{Name: "own", Triggers: []string{"own"}, Unlisted: true}
	sub := func(change func(*subscription.Subscription)) *subscription.Subscription {
		s := &subscription.Subscription{ID: 7, Enabled: true, Scopes: []subscription.Scope{workspace}, Triggers: []string{"run:errored"}}
		change(s)
		return s
	}
	cases := map[string]struct {
		sub    *subscription.Subscription
		notice subscription.Notice
		want   subscription.Verdict
	}{
		"named":                  {sub(func(*subscription.Subscription) {}), notice, subscription.Matches},
		"second trigger named":   {sub(func(s *subscription.Subscription) { s.Triggers = []string{"run:run_canceled"} }), notice, subscription.Matches},
		"not named":              {sub(func(s *subscription.Subscription) { s.Triggers = []string{"run:created"} }), notice, subscription.NotSubscribed},
		"names nothing":          {sub(func(s *subscription.Subscription) { s.Triggers = nil }), notice, subscription.Empty},
		"takes all":              {sub(func(s *subscription.Subscription) { s.Triggers, s.All = nil, true }), notice, subscription.Matches},
		"all, but must be named": {sub(func(s *subscription.Subscription) { s.Triggers, s.All = nil, true }), unlisted, subscription.Empty},
		"disabled":               {sub(func(s *subscription.Subscription) { s.Enabled = false }), notice, subscription.Disabled},
		"elsewhere":              {sub(func(s *subscription.Subscription) { s.Scopes[0].ID = 101 }), notice, subscription.OtherScope},
		"one of several scopes": {sub(func(s *subscription.Subscription) {
			s.Scopes = []subscription.Scope{{Level: subscription.LevelProject, ID: 9}, project}
		}), notice, subscription.Matches},
		"organization only, ws": {sub(func(s *subscription.Subscription) { s.Triggers = []string{"created"} }), orgOnly, subscription.WrongLevel},
		"organization only, org": {sub(func(s *subscription.Subscription) {
			s.Scopes, s.Triggers = []subscription.Scope{org}, []string{"created"}
		}), orgOnly, subscription.Matches},
		"a team hears no runs": {sub(func(s *subscription.Subscription) { s.Scopes = []subscription.Scope{team} }), notice, subscription.OtherScope},
		"no scope at all":      {sub(func(s *subscription.Subscription) { s.Scopes = nil }), notice, subscription.OtherScope},
		"same number, wrong kind": {sub(func(s *subscription.Subscription) {
			s.Scopes = []subscription.Scope{{Level: subscription.LevelProject, ID: 100}}
		}), notice, subscription.OtherScope},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := subscription.Judge(c.sub, c.notice, places); got != c.want {
				t.Errorf("Judge = %s, want %s", got, c.want)
			}
		})
	}
}

// TestIndexAgreesWithJudge compares the index with the plain rule over random subscriptions and notices.
func TestIndexAgreesWithJudge(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	triggers := []string{"a", "b", "c", "d"}
	scopes := []subscription.Scope{workspace, project, org, team, {Level: subscription.LevelWorkspace, ID: 101}}
	pick := func() []string {
		var some []string
		for _, v := range triggers {
			if random.IntN(3) == 0 {
				some = append(some, v)
			}
		}
		return some
	}
	var index subscription.Index
	held := map[ident.ID]*subscription.Subscription{}
	for round := range 3_000 {
		id := ident.ID(1 + random.IntN(40))
		if random.IntN(5) == 0 {
			index.Delete(id)
			delete(held, id)
		} else {
			s := &subscription.Subscription{
				ID: id, Version: int64(round + 1), Dialect: "d", Enabled: random.IntN(4) > 0, All: random.IntN(4) == 0, Triggers: pick(),
				Scopes: []subscription.Scope{scopes[random.IntN(len(scopes))], scopes[random.IntN(len(scopes))]},
			}
			index.Put(s)
			held[id] = s
		}
		notices := []subscription.Notice{{Name: "1", Triggers: pick()}, {Name: "2", Triggers: pick(), Unlisted: random.IntN(2) == 0}}
		if random.IntN(3) == 0 {
			notices[0].Levels = []subscription.Level{subscription.LevelOrganization, subscription.LevelTeam}
		}
		got := map[string]bool{}
		for _, m := range index.Match("d", notices, places) {
			key := fmt.Sprint(m.Notice, m.Subscription.ID)
			if got[key] {
				t.Fatalf("%s matched twice", key)
			}
			got[key] = true
		}
		for i, n := range notices {
			for _, s := range held {
				if want := subscription.Judge(s, n, places) == subscription.Matches; got[fmt.Sprint(i, s.ID)] != want {
					t.Fatalf("round %d: subscription %+v, notice %+v: index says %v", round, s, n, !want)
				}
			}
		}
	}
}

func TestIndexIgnoresOldVersions(t *testing.T) {
	t.Parallel()
	var index subscription.Index
	index.Put(&subscription.Subscription{ID: 1, Version: 2, Enabled: true, All: true, Dialect: "d", Scopes: []subscription.Scope{org}})
	index.Put(&subscription.Subscription{ID: 1, Version: 1, Enabled: false})
	if s := index.Get(1); s.Version != 2 || index.Len() != 1 {
		t.Errorf("held version %d of %d", s.Version, index.Len())
	}
	if got := index.Dialects(places); len(got) != 1 || got[0] != "d" {
		t.Errorf("Dialects = %v", got)
	}
	index.Put(&subscription.Subscription{ID: 1, Version: 3, Dialect: "d", Scopes: []subscription.Scope{org}})
	if got := index.Dialects(places); len(got) != 0 {
		t.Errorf("a disabled subscription still listens: %v", got)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	e := &event.Event{
		Organization: event.Organization{ID: 1}, Project: &event.Project{ID: 10}, Workspace: &event.Workspace{ID: 100}, Teams: []event.Team{{ID: 50}, {}},
	}
	want := []subscription.Scope{workspace, project, team, org}
	if got := subscription.Places(e); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Places = %v, want %v", got, want)
	}
}

func BenchmarkMatch100000(b *testing.B) {
	var index subscription.Index
	for i := range 100_000 {
		index.Put(&subscription.Subscription{
			ID: ident.ID(i + 1), Version: 1, Enabled: true, Dialect: "d", Triggers: []string{"run:errored", "run:completed"},
			Scopes: []subscription.Scope{{Level: subscription.LevelWorkspace, ID: ident.ID(i / 2)}},
		})
	}
	notices := []subscription.Notice{{Triggers: []string{"run:errored", "run:run_errored"}}}
	b.ResetTimer()
	for i := range b.N {
		at := []subscription.Scope{{Level: subscription.LevelWorkspace, ID: ident.ID(i % 50_000)}, org}
		if found := index.Match("d", notices, at); len(found) != 2 {
			b.Fatal(len(found))
		}
	}
}
