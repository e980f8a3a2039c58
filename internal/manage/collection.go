package manage

import (
	"context"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// collection is the one implementation of dialect.Collection, for every kind of object that has rules.
type collection[T any] struct {
	*Manage
	rules rules[T]
}

var _ dialect.Collection[estate.Workspace] = collection[estate.Workspace]{}

// Create stores a new object.
func (c collection[T]) Create(ctx context.Context, p estate.Principal, object T) (T, error) {
	var none T
	if err := c.current(ctx); err != nil {
		return none, err
	}
	if err := c.rules.allow(ctx, p, creating, &object); err != nil {
		return none, err
	}
	return c.insert(ctx, object, func(created *T) store.Change { return c.audited(p, "create", created) })
}

// insert stores a new object without asking for rights. The audit change may be nil.
func (c collection[T]) insert(ctx context.Context, object T, audit func(*T) store.Change) (T, error) {
	now := c.utcNow()
	common := c.rules.common(&object)
	common.ID, common.CreatedAt, common.UpdatedAt = c.ids.New(), now, now
	given := object
	err := c.retry(ctx, func() error {
		object = given
		return c.commit(ctx, func() ([]store.Change, error) {
			also, err := c.rules.prepare(ctx, &object, nil)
			if err != nil {
				return nil, err
			}
			r, err := c.encode(&object)
			if err != nil {
				return nil, err
			}
			changes := append([]store.Change{store.Insert(r)}, also...)
			if audit != nil {
				changes = append(changes, audit(&object))
			}
			return changes, nil
		})
	})
	if err != nil {
		var none T
		return none, err
	}
	return object, nil
}

// Get returns an object that the principal may know of.
func (c collection[T]) Get(ctx context.Context, p estate.Principal, ref estate.Ref) (T, error) {
	object, _, err := c.find(ctx, p, ref)
	if err != nil {
		var none T
		return none, err
	}
	return *object, nil
}

// List lists the objects of a parent that the principal may know of, oldest first.
func (c collection[T]) List(ctx context.Context, p estate.Principal, parent ident.ID) ([]T, error) {
	if err := c.current(ctx); err != nil {
		return nil, err
	}
	objects, err := c.rules.list(ctx, p, parent)
	if err != nil {
		return nil, err
	}
	visible := make([]T, 0, len(objects))
	for i := range objects {
		sees, err := c.rules.sees(ctx, p, &objects[i])
		if err != nil {
			return nil, err
		}
		if sees {
			visible = append(visible, objects[i])
		}
	}
	return visible, nil
}

// Update changes an object. When somebody else changed it meanwhile, change runs again on what is there now.
func (c collection[T]) Update(ctx context.Context, p estate.Principal, id ident.ID, change func(*T) error) (T, error) {
	var updated T
	err := c.retry(ctx, func() error {
		old, r, err := c.find(ctx, p, estate.ByID(id))
		if err != nil {
			return err
		}
		if err := c.rules.allow(ctx, p, changing, old); err != nil {
			return err
		}
		next, err := decode[T](&r)
		if err != nil {
			return err
		}
		if err := change(next); err != nil {
			return err
		}
		if err := c.restore(ctx, p, next, old); err != nil {
			return err
		}
		updated = *next
		return c.commit(ctx, func() ([]store.Change, error) { return c.updates(ctx, p, &updated, old, r) })
	})
	if err != nil {
		var none T
		return none, err
	}
	return updated, nil
}

// updates returns the changes of an update.
func (c collection[T]) updates(ctx context.Context, p estate.Principal, next, old *T, r store.Record) ([]store.Change, error) {
	also, err := c.rules.prepare(ctx, next, old)
	if err != nil {
		return nil, err
	}
	written, err := c.encode(next)
	if err != nil {
		return nil, err
	}
	written.Revision = r.Revision
	return append([]store.Change{store.Update(written)}, append(also, c.audited(p, "update", next))...), nil
}

// restore puts back what nobody may change, and asks whether the principal may have the object where it stands now.
func (c collection[T]) restore(ctx context.Context, p estate.Principal, next, old *T) error {
	now, was := c.rules.common(next), c.rules.common(old)
	now.ID, now.CreatedAt, now.UpdatedAt = was.ID, was.CreatedAt, c.utcNow()
	if c.rules.restore(next, old) {
		return c.rules.allow(ctx, p, creating, next)
	}
	return nil
}

// Delete removes an object and everything below it in one transaction.
func (c collection[T]) Delete(ctx context.Context, p estate.Principal, id ident.ID) error {
	return c.retry(ctx, func() error {
		object, r, err := c.find(ctx, p, estate.ByID(id))
		if err != nil {
			return err
		}
		if err := c.rules.allow(ctx, p, deleting, object); err != nil {
			return err
		}
		if err := c.rules.announce(ctx, object); err != nil {
			return err
		}
		return c.commit(ctx, func() ([]store.Change, error) {
			below, err := c.rules.below(ctx, object)
			if err != nil {
				return nil, err
			}
			return append(below, drop(&r), c.audited(p, "delete", object)), nil
		})
	})
}

// encode makes the record of an object.
func (c collection[T]) encode(object *T) (*store.Record, error) {
	parent, name, aliases := c.rules.record(object)
	body, err := encode(object)
	if err != nil {
		return nil, err
	}
	return &store.Record{
		Kind: c.rules.kind(), ID: c.rules.common(object).ID, Parent: parent, Name: name, Aliases: aliases, Body: body,
	}, nil
}

// audited returns the change that notes who did what to the object.
func (c collection[T]) audited(p estate.Principal, action string, object *T) store.Change {
	common := c.rules.common(object)
	return c.audit(p, AuditEntry{
		Action: action, Kind: string(c.rules.kind()), ObjectID: common.ID, Name: common.Name,
		OrganizationID: c.rules.organization(object),
	})
}
