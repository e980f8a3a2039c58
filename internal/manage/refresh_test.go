package manage_test

import (
	"context"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// What one node writes, another sees with its next question, without anybody telling it.
func TestNodesSeeEachOthersWrites(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	other := joinWorld(t, s.store, s.path, 1, masterKey(1))
	hook := s.subscribe(s.acme.ID, subscription.LevelProject, s.one.ID)
	if other.index.Get(hook.ID) != nil {
		t.Fatal("the other node can not know yet")
	}
	if _, err := other.Subscriptions().Get(s.ctx, admin, estate.ByID(hook.ID)); err != nil {
		t.Errorf("read through the other node: %v", err)
	}
	if told := other.engine.told(); len(told) != 1 || told[0] != hook.ID {
		t.Errorf("its engine was told of %v", told)
	}
	must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, hook.ID, dialect.SaveOptions{}, func(x *subscription.Subscription, _ *subscription.Secrets) error {
		x.Enabled = false
		return nil
	}))
	if err := s.Subscriptions().Delete(s.ctx, admin, s.hook.ID); err != nil {
		t.Fatal(err)
	}
	if err := other.Refresh(s.ctx); err != nil {
		t.Fatal(err)
	}
	if held := other.index.Get(hook.ID); held == nil || held.Enabled || other.index.Get(s.hook.ID) != nil {
		t.Errorf("held = %+v", held)
	}
	if told := other.engine.told(); len(told) != 2 {
		t.Errorf("its engine was told of %v", told)
	}
	if err := other.Refresh(s.ctx); err != nil || len(other.engine.told()) != 0 {
		t.Errorf("a refresh without news: %v", err)
	}
}

func TestRefreshUndoesWhatIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := joinWorld(t, w.store, w.path, 1, masterKey(1))
	acme := w.organization("acme")
	work := w.workspace(w.project(acme.ID, "one"), "net")
	register := func() ident.ID {
		t.Helper()
		e := run("acme", "one", "net")
		must[[]subscription.Scope](t)(other.Register(w.ctx, e))
		return e.Workspace.ID
	}
	if register() != work.ID {
		t.Fatal("another workspace")
	}
	must[estate.Workspace](t)(w.Workspaces().Update(w.ctx, admin, work.ID, func(o *estate.Workspace) error { o.Name = "old"; return nil }))
	fresh := w.workspace(get(w, w.Projects(), estate.ByName(acme.ID, "one")), "net")
	if register() != work.ID {
		t.Error("the other node knew before it was told")
	}
	if err := other.Refresh(w.ctx); err != nil {
		t.Fatal(err)
	}
	if register() != fresh.ID {
		t.Error("the other node still has the old name in mind")
	}
}

// A node that missed more than the log of changes reaches back to reads everything anew.
func TestAfterALongAbsenceEverythingIsReadAnew(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	forgetful := &forgetfulStore{Store: s.store}
	other := joinWorld(t, forgetful, s.path, 1, masterKey(1))
	gone, changed := s.hook, s.subscribe(s.acme.ID, subscription.LevelProject, s.one.ID)
	if err := other.Refresh(s.ctx); err != nil {
		t.Fatal(err)
	}
	other.engine.told()
	if err := s.Subscriptions().Delete(s.ctx, admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, changed.ID, dialect.SaveOptions{}, func(*subscription.Subscription, *subscription.Secrets) error { return nil }))
	ada := s.member(s.acme.ID, "ada@x.org", estate.RoleReader)
	forgetful.forgot = true
	if err := other.Refresh(s.ctx); err != nil {
		t.Fatal(err)
	}
	if other.index.Get(gone.ID) != nil || other.index.Get(changed.ID).Version != 2 {
		t.Error("the index is not that of the store")
	}
	if told := other.engine.told(); len(told) != 2 {
		t.Errorf("the engine was told of %v", told)
	}
	if _, err := other.Users().Get(s.ctx, as(estate.RoleReader, s.acme.ID, 0, 0), estate.ByID(ada.UserID)); err != nil {
		t.Errorf("the new member is not known: %v", err)
	}
}

// forgetfulStore says once that its log of changes does not reach back far enough.
type forgetfulStore struct {
	store.Store
	forgot bool
}

func (s *forgetfulStore) ChangedSince(ctx context.Context, since int64, limit int) ([]store.RecordKey, int64, bool, error) {
	if s.forgot {
		s.forgot = false
		return nil, 0, false, nil
	}
	return s.Store.ChangedSince(ctx, since, limit)
}

// A store that fails makes a read fail, and nothing is half done.
func TestStoreErrorsAreNotFaults(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Organizations().Get(ctx, admin, estate.ByID(s.acme.ID))
	if err == nil || fault.CodeOf(err) != fault.Internal {
		t.Errorf("err = %v", err)
	}
	_, err = s.Organizations().Create(ctx, admin, estate.Organization{Common: estate.Common{Name: "new"}})
	if err == nil || fault.CodeOf(err) != fault.Internal {
		t.Errorf("err = %v", err)
	}
}
