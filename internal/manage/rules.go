package manage

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// act is what somebody wants to do with an object.
type act int

const (
	creating act = iota
	changing
	deleting
)

// rules are what one kind of the estate's objects adds to the generic collection.
type rules[T any] interface {
	// kind and noun name the objects for the store and for people.
	kind() store.Kind
	noun() string

	// common returns the part that all objects have.
	common(object *T) *estate.Common

	// record returns how the object is indexed; organization is where it belongs, zero for what belongs to nobody.
	record(object *T) (parent ident.ID, name string, aliases []string)
	organization(object *T) ident.ID

	// sees reports whether the principal may know of the object.
	sees(ctx context.Context, p estate.Principal, object *T) (bool, error)

	// allow returns nil when the principal may do it, or the fault to answer with. For creating, the object has its parents
	// and nothing more that could be trusted.
	allow(ctx context.Context, p estate.Principal, what act, object *T) error

	// restore puts back what nobody may change beside ID and times, and reports whether the object stands elsewhere now: for
	// that one needs the right to create it there.
	restore(object, old *T) (moved bool)

	// prepare checks an object before it is saved and fills what follows from the rest; old is nil at creation. It returns
	// what else changes with it: conditions on what it refers to, objects made with it. No other write of this node comes
	// between it and the commit.
	prepare(ctx context.Context, object, old *T) ([]store.Change, error)

	// announce raises the events that must be out before the object goes.
	announce(ctx context.Context, object *T) error

	// below returns the changes that remove or detach what stands below the object.
	below(ctx context.Context, object *T) ([]store.Change, error)

	// list returns the objects of a parent, of every parent that the principal could see when it is zero.
	list(ctx context.Context, p estate.Principal, parent ident.ID) ([]T, error)

	// named finds an object by its name in a parent, or fails with store.ErrNotFound.
	named(ctx context.Context, p estate.Principal, parent ident.ID, name string) (store.Record, error)
}
