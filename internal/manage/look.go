package manage

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// The look-ups of this file go through the cache. They serve the hot paths (an event's names, a token's text) and the
// questions of rights; what a management API answers is read from the store.

// byID returns a record's object, which is shared and must not be changed, or store.ErrNotFound.
func byID[T any](ctx context.Context, m *Manage, kind store.Kind, id ident.ID) (*T, error) {
	entry, epoch := m.cache.get(store.RecordKey{Kind: kind, ID: id})
	if entry == nil {
		r, err := m.store.Get(ctx, kind, id)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", kind, err)
		}
		if entry, err = keep[T](m, epoch, r); err != nil {
			return nil, err
		}
	}
	return objectOf[T](entry)
}

// byName returns the object of the name within the parent, or store.ErrNotFound.
func byName[T any](ctx context.Context, m *Manage, kind store.Kind, parent ident.ID, name string) (*T, error) {
	key := nameKey{kind: kind, parent: parent, name: name}
	entry, epoch := m.cache.find(key)
	if entry == nil {
		r, err := m.store.ByName(ctx, kind, parent, name)
		if err != nil {
			return nil, fmt.Errorf("find %s by name: %w", kind, err)
		}
		if entry, err = keep[T](m, epoch, r, key); err != nil {
			return nil, err
		}
	}
	return objectOf[T](entry)
}

// byAlias returns the object with the indexed alias (see aliasIn), or store.ErrNotFound.
func byAlias[T any](ctx context.Context, m *Manage, kind store.Kind, alias string) (*T, error) {
	key := nameKey{kind: kind, name: alias, alias: true}
	entry, epoch := m.cache.find(key)
	if entry == nil {
		r, err := m.store.ByAlias(ctx, kind, alias)
		if err != nil {
			return nil, fmt.Errorf("find %s by alias: %w", kind, err)
		}
		if entry, err = keep[T](m, epoch, r, key); err != nil {
			return nil, err
		}
	}
	return objectOf[T](entry)
}

// byWideName returns what search finds, and remembers the answer under the name until objects of the kind change.
func byWideName[T any](ctx context.Context, m *Manage, kind store.Kind, parent ident.ID, name string, search func(context.Context) (store.Record, error)) (*T, error) {
	key := nameKey{kind: kind, parent: parent, name: name, wide: true}
	entry, epoch := m.cache.find(key)
	if entry == nil {
		r, err := search(ctx)
		if err != nil {
			return nil, err
		}
		if entry, err = keep[T](m, epoch, r, key); err != nil {
			return nil, err
		}
	}
	return objectOf[T](entry)
}

// keep decodes a record and puts it into the cache.
func keep[T any](m *Manage, epoch uint64, r store.Record, ways ...nameKey) (*cached, error) {
	object, err := decode[T](&r)
	if err != nil {
		return nil, err
	}
	entry := &cached{record: r, object: object, name: nameOf(object)}
	m.cache.put(epoch, entry, ways...)
	return entry, nil
}

// copyByID is byID for objects that are handed out: what it returns belongs to the caller.
func copyByID[T any](ctx context.Context, m *Manage, kind store.Kind, id ident.ID) (*T, error) {
	entry, epoch := m.cache.get(store.RecordKey{Kind: kind, ID: id})
	if entry != nil {
		return decode[T](&entry.record)
	}
	r, err := m.store.Get(ctx, kind, id)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	if _, err := keep[T](m, epoch, r); err != nil {
		return nil, err
	}
	return decode[T](&r)
}

func objectOf[T any](entry *cached) (*T, error) {
	object, ok := entry.object.(*T)
	if !ok {
		return nil, fmt.Errorf("the cache holds a %T under %s", entry.object, entry.record.Kind)
	}
	return object, nil
}

// nameOf returns the name of those objects that are looked for by a name which their record does not index.
func nameOf(object any) string {
	switch o := object.(type) {
	case *estate.Project:
		return o.Name
	case *estate.Workspace:
		return o.Name
	}
	return ""
}

// missing reports whether an error says that a record is not there.
func missing(err error) bool { return errors.Is(err, store.ErrNotFound) }
