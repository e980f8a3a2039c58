package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// tries is how often a change is begun anew when somebody else changed the same records meanwhile.
const tries = 10

// retry runs a step that reads records and changes them on condition that they are still as read. It starts over when
// they are not.
func (m *Manage) retry(ctx context.Context, step func() error) error {
	for range tries {
		err := step()
		if !errors.Is(err, store.ErrRevision) {
			return err
		}
		if err := m.Refresh(ctx); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "Others changed the same objects at the same time. Nothing was changed; please try again.")
}

// commit runs prepare and applies the changes that it returns in one transaction, while no other write of this node comes
// in between; then memory follows. It returns store.ErrRevision when a condition of the changes no longer held.
func (m *Manage) commit(ctx context.Context, prepare func() ([]store.Change, error)) error {
	_, err := m.commitAt(ctx, prepare)
	return err
}

// commitAt is commit, and returns the revision that the records were written at.
func (m *Manage) commitAt(ctx context.Context, prepare func() ([]store.Change, error)) (int64, error) {
	revision, changed, err := m.commitLocked(ctx, prepare)
	m.tellEngine(changed)
	return revision, err
}

func (m *Manage) commitLocked(ctx context.Context, prepare func() ([]store.Change, error)) (int64, []ident.ID, error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	changes, err := prepare()
	if err != nil || len(changes) == 0 {
		return 0, nil, err
	}
	revision, err := m.store.Apply(ctx, changes)
	if err != nil {
		return 0, nil, applyFault(err)
	}
	changed, err := m.carry(changes)
	if err != nil {
		// What was stored is stored; memory will be read anew by the next Refresh, because seen stays behind.
		m.log.Error("carry changes over into memory", "err", err)
		return revision, changed, nil
	}
	if revision == m.seen.Load()+1 {
		m.seen.Store(revision)
	}
	return revision, changed, nil
}

// carry brings memory in line with changes of this node that were just stored, and returns the subscriptions among them.
func (m *Manage) carry(changes []store.Change) ([]ident.ID, error) {
	var changed []ident.ID
	for _, c := range changes {
		key := keyOf(c)
		m.cache.forget(key)
		switch {
		case key.Kind == store.KindSubscription && c.Put == nil:
			m.index.Delete(key.ID)
			changed = append(changed, key.ID)
		case key.Kind == store.KindSubscription:
			s, err := decode[subscription.Subscription](c.Put)
			if err != nil {
				return changed, err
			}
			if old := m.index.Get(key.ID); old == nil || old.Version != s.Version {
				changed = append(changed, key.ID)
			}
			m.index.Put(s)
		case c.Put != nil:
			if err := m.noteDirectory(c.Put); err != nil {
				return changed, err
			}
		default:
			m.dropDirectory(key)
		}
	}
	return changed, nil
}

// noteDirectory takes a membership or an organization into the directory.
func (m *Manage) noteDirectory(r *store.Record) error {
	switch r.Kind {
	case store.KindOrganization:
		m.directory.putOrganization(r.ID)
	case store.KindMembership:
		membership, err := decode[estate.Membership](r)
		if err != nil {
			return err
		}
		m.directory.putMembership(membership)
	}
	return nil
}

func (m *Manage) dropDirectory(key store.RecordKey) {
	switch key.Kind {
	case store.KindOrganization:
		m.directory.dropOrganization(key.ID)
	case store.KindMembership:
		m.directory.dropMembership(key.ID)
	}
}

// tellEngine passes on which subscriptions changed, after the locks are released: the engine may ask back.
func (m *Manage) tellEngine(changed []ident.ID) {
	if m.engine == nil {
		return
	}
	for _, id := range changed {
		m.engine.Changed(id)
	}
}

func keyOf(c store.Change) store.RecordKey {
	if c.Put != nil {
		return store.RecordKey{Kind: c.Put.Kind, ID: c.Put.ID}
	}
	return *c.Delete
}

// drop returns the change that removes a record if it is still as it was read.
func drop(r *store.Record) store.Change {
	return store.Change{Delete: &store.RecordKey{Kind: r.Kind, ID: r.ID}, Expect: r.Revision}
}

// touch returns the change that writes a record as it is if nobody changed it: what is made below an object touches it,
// so that it can not vanish at the same moment.
func touch(r store.Record) store.Change { return store.Update(&r) }

// applyFault turns what the store refused into the caller's fault.
func applyFault(err error) error {
	taken, ok := errors.AsType[*store.TakenError](err)
	if !ok {
		return fmt.Errorf("apply changes: %w", err)
	}
	f := &fault.Error{Code: fault.Conflict, Cause: err}
	switch dialect, _, found := cutAlias(taken.Alias); {
	case taken.Alias == "":
		f.Field, f.Message = "/name", "The name has already been taken. Choose another one."
	case found && dialect == emailAlias:
		f.Field, f.Message = "/email", "Another user has this mail address already."
	default:
		f.Field = "/external_ids/" + dialect
		f.Message = "Another object has this external identifier already."
	}
	return f
}

// encode writes an object as a record's body.
func encode(object any) ([]byte, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	return body, nil
}

// decode reads a record's body.
func decode[T any](r *store.Record) (*T, error) {
	object := new(T)
	if err := json.Unmarshal(r.Body, object); err != nil {
		return nil, fmt.Errorf("decode %s %s: %w", r.Kind, r.ID, err)
	}
	return object, nil
}

// aliasIn spells an external identifier as it is indexed: identifiers of objects in an organization are its own affair,
// so that no tenant can take one away from another or find another's object by it.
func aliasIn(organization ident.ID, alias string) string {
	if organization == 0 {
		return alias
	}
	return organization.String() + "/" + alias
}

// cutAlias reads an indexed alias back into dialect and identifier.
func cutAlias(alias string) (dialect, identifier string, ok bool) {
	if org, rest, scoped := strings.Cut(alias, "/"); scoped {
		if _, err := ident.Parse(org); err == nil {
			alias = rest
		}
	}
	return strings.Cut(alias, ":")
}
