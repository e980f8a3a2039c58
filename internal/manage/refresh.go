package manage

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

const (
	pageSize    = 500  // records read at a time
	changesSize = 1000 // changed keys read at a time
)

// Load reads into memory what must be there: every subscription and who belongs where. It starts nothing.
func (m *Manage) Load(ctx context.Context) error {
	m.writing.Lock()
	changed, err := m.reload(ctx)
	m.writing.Unlock()
	m.tellEngine(changed)
	return err
}

// Refresh takes over what other nodes changed since the last time. It is cheap when nothing did.
func (m *Manage) Refresh(ctx context.Context) error {
	m.writing.Lock()
	changed, err := m.catchUp(ctx)
	m.writing.Unlock()
	m.tellEngine(changed)
	return err
}

// current makes sure that memory is as new as the store: what was changed through any node before this call is seen.
func (m *Manage) current(ctx context.Context) error {
	revision, err := m.store.Revision(ctx)
	if err != nil {
		return fmt.Errorf("read the revision: %w", err)
	}
	if revision == m.seen.Load() {
		return nil
	}
	return m.Refresh(ctx)
}

// reload reads everything anew. Changes that come in while it reads are found by the next catchUp: the revision is read
// first. The lock is held.
func (m *Manage) reload(ctx context.Context) ([]ident.ID, error) {
	revision, err := m.store.Revision(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the revision: %w", err)
	}
	m.cache.clear()
	m.directory.reset()
	for _, kind := range []store.Kind{store.KindOrganization, store.KindMembership} {
		if err := m.each(ctx, kind, 0, m.noteDirectory); err != nil {
			return nil, err
		}
	}
	changed, err := m.reloadIndex(ctx)
	if err != nil {
		return changed, err
	}
	m.seen.Store(revision)
	return changed, nil
}

// reloadIndex brings the index in line with the store and returns the subscriptions that it did not hold like that.
func (m *Manage) reloadIndex(ctx context.Context) ([]ident.ID, error) {
	var changed []ident.ID
	gone := make(map[ident.ID]bool)
	for _, s := range m.index.All(func(*subscription.Subscription) bool { return true }) {
		gone[s.ID] = true
	}
	err := m.each(ctx, store.KindSubscription, 0, func(r *store.Record) error {
		s, err := decode[subscription.Subscription](r)
		if err != nil {
			return err
		}
		delete(gone, s.ID)
		if old := m.index.Get(s.ID); old != nil && old.Version != s.Version {
			changed = append(changed, s.ID)
		}
		m.index.Put(s)
		return nil
	})
	if err != nil {
		return changed, err
	}
	for id := range gone {
		m.index.Delete(id)
		changed = append(changed, id)
	}
	return changed, nil
}

// catchUp applies the changes since the revision seen. The lock is held.
func (m *Manage) catchUp(ctx context.Context) ([]ident.ID, error) {
	var changed []ident.ID
	for {
		seen := m.seen.Load()
		keys, upTo, complete, err := m.store.ChangedSince(ctx, seen, changesSize)
		if err != nil {
			return changed, fmt.Errorf("read what changed: %w", err)
		}
		if !complete {
			all, err := m.reload(ctx)
			return append(changed, all...), err
		}
		for _, key := range keys {
			took, err := m.takeOver(ctx, key)
			if err != nil {
				return changed, err
			}
			if took {
				changed = append(changed, key.ID)
			}
		}
		if upTo <= seen {
			return changed, nil
		}
		m.seen.Store(upTo)
	}
}

// takeOver brings memory in line with a record that was changed or removed, and reports whether that is a subscription
// which now is another than the one held.
func (m *Manage) takeOver(ctx context.Context, key store.RecordKey) (bool, error) {
	m.cache.forget(key)
	switch key.Kind {
	case store.KindSubscription, store.KindOrganization, store.KindMembership:
	default:
		return false, nil
	}
	r, err := m.store.Get(ctx, key.Kind, key.ID)
	gone := errors.Is(err, store.ErrNotFound)
	if err != nil && !gone {
		return false, fmt.Errorf("read %s: %w", key.Kind, err)
	}
	if key.Kind != store.KindSubscription {
		if gone {
			m.dropDirectory(key)
			return false, nil
		}
		return false, m.noteDirectory(&r)
	}
	old := m.index.Get(key.ID)
	if gone {
		m.index.Delete(key.ID)
		return old != nil, nil
	}
	s, err := decode[subscription.Subscription](&r)
	if err != nil {
		return false, err
	}
	m.index.Put(s)
	return old == nil || old.Version != s.Version, nil
}

// each calls fn for the records of a kind and parent, those of every parent when it is zero, in the order of their IDs.
func (m *Manage) each(ctx context.Context, kind store.Kind, parent ident.ID, fn func(*store.Record) error) error {
	page := store.Page{Limit: pageSize}
	for {
		records, err := m.store.List(ctx, kind, parent, page)
		if err != nil {
			return fmt.Errorf("list records of kind %s: %w", kind, err)
		}
		for i := range records {
			if err := fn(&records[i]); err != nil {
				return err
			}
		}
		if len(records) < pageSize {
			return nil
		}
		page.After = records[len(records)-1].ID
	}
}
