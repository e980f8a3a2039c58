package store

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/ident"
)

// Kind is a kind of record. Records hold what people manage, as JSON; there are few of them and they change seldom.
type Kind string

// The kinds of record.
const (
	KindOrganization Kind = "organization"
	KindProject      Kind = "project"
	KindWorkspace    Kind = "workspace"
	KindTeam         Kind = "team"
	KindUser         Kind = "user"
	KindMembership   Kind = "membership"
	KindToken        Kind = "token"
	KindSource       Kind = "source"
	KindSubscription Kind = "subscription"
	KindVersion      Kind = "subscription_version" // parent: the subscription; name: the version in decimal
	KindDestination  Kind = "destination"          // the state of a lane: failing since, disabled
	KindEndpoint     Kind = "endpoint"             // a dialect's shared destination
	KindPolicy       Kind = "policy"               // a dialect's policy text
	KindReplay       Kind = "replay"
	KindAudit        Kind = "audit"
	KindSetting      Kind = "setting"
	KindCounter      Kind = "counter" // parent: the workspace; name: the counter's
)

// Record is one managed object. Name is unique within (Kind, Parent); an empty name is not indexed. Aliases are unique
// within the Kind.
type Record struct {
	Kind     Kind
	ID       ident.ID
	Parent   ident.ID
	Name     string
	Aliases  []string
	Body     []byte // JSON
	Revision int64  // of the store when the record was last written; given by Apply
}

// Change is one change of a record. Exactly one of Put and Delete is set.
type Change struct {
	Put *Record

	// Delete removes the record of this kind and ID; that it is already gone is not an error.
	Delete *RecordKey

	// Expect is the revision that the record must have now: 0 for "must not exist", AnyRevision for no condition.
	Expect int64
}

// AnyRevision as Change.Expect sets no condition.
const AnyRevision int64 = -1

// ChangesKept is how many of the newest changes the log of changes holds at least; ChangedSince may call a reader that is
// further behind incomplete.
const ChangesKept = 10_000

// RecordKey names a record.
type RecordKey struct {
	Kind Kind
	ID   ident.ID
}

// Put returns the change that writes a record whatever is there now.
func Put(r *Record) Change { return Change{Put: r, Expect: AnyRevision} }

// Insert returns the change that writes a record that must not exist yet.
func Insert(r *Record) Change { return Change{Put: r} }

// Update returns the change that replaces a record if it still has the revision that it was read with.
func Update(r *Record) Change { return Change{Put: r, Expect: r.Revision} }

// Delete returns the change that removes a record.
func Delete(kind Kind, id ident.ID) Change {
	return Change{Delete: &RecordKey{kind, id}, Expect: AnyRevision}
}

// TakenError says which name or alias is in use already. It unwraps to ErrTaken.
type TakenError struct {
	Kind  Kind
	Name  string
	Alias string
}

// Error names what is taken.
func (e *TakenError) Error() string {
	if e.Alias != "" {
		return fmt.Sprintf("%s with alias %q exists already", e.Kind, e.Alias)
	}
	return fmt.Sprintf("%s named %q exists already", e.Kind, e.Name)
}

// Unwrap returns ErrTaken.
func (*TakenError) Unwrap() error { return ErrTaken }

// Records keeps the managed objects.
type Records interface {
	// Apply makes all changes in one transaction, or none, and returns the store's new revision. Revisions rise by one per
	// Apply and become visible in their order.
	Apply(ctx context.Context, changes []Change) (revision int64, err error)

	// Get returns one record, or ErrNotFound.
	Get(ctx context.Context, kind Kind, id ident.ID) (Record, error)

	// ByName returns the record of the name within the parent, or ErrNotFound.
	ByName(ctx context.Context, kind Kind, parent ident.ID, name string) (Record, error)

	// ByAlias returns the record with the alias, or ErrNotFound.
	ByAlias(ctx context.Context, kind Kind, alias string) (Record, error)

	// List lists records of a kind by ID, those of one parent, or of every parent when it is zero.
	List(ctx context.Context, kind Kind, parent ident.ID, page Page) ([]Record, error)

	// Count counts what List would list.
	Count(ctx context.Context, kind Kind, parent ident.ID) (int, error)

	// Revision returns the store's revision.
	Revision(ctx context.Context) (int64, error)

	// ChangedSince lists which records changed in revisions above since, in their order, and how far it read. What was
	// deleted is in the list too. An answer with complete false means that the log does not reach back that far: the reader
	// must load everything again.
	ChangedSince(ctx context.Context, since int64, limit int) (changed []RecordKey, upTo int64, complete bool, err error)
}

// Leases divide the shards among nodes. An implementation for one process grants everything to it.
type Leases interface {
	// Join registers a node under a free number between 0 and ident.MaxNode and returns it. The lease ends ttl after the
	// last Renew.
	Join(ctx context.Context, name string, ttl time.Duration) (node int, err error)

	// Renew extends the node's lease, and returns who lives and who owns which shard in which epoch. It fails with
	// ErrFenced when the lease had already ended.
	Renew(ctx context.Context, node int, ttl time.Duration) (Cluster, error)

	// Claim takes shards over for the node, each by compare-and-set against the epoch seen, and returns the epochs of those
	// that it got. A shard whose owner lives is only given when the owner released it.
	Claim(ctx context.Context, node int, seen map[int]int64) (epochs map[int]int64, err error)

	// Release gives shards up, so that another node may claim them without waiting.
	Release(ctx context.Context, node int, shards []int) error

	// Leave releases everything and removes the node.
	Leave(ctx context.Context, node int) error

	// Watch calls notice for each hint from other nodes until ctx ends: shards with new rows, the lowest new ID, and whether
	// records changed. Hints may be lost; a store that has none returns at once with nil.
	Watch(ctx context.Context, notice func(Hint)) error
}

// Cluster is the state of the leases.
type Cluster struct {
	Now    time.Time // the database's clock
	Nodes  []Node
	Owners map[int]Lease // by shard; a shard that nobody ever owned has epoch 0 and no owner
}

// Node is one node of the installation.
type Node struct {
	Number  int
	Name    string
	Expires time.Time
}

// Lease says who owns a shard. Node is -1 for nobody.
type Lease struct {
	Node  int
	Epoch int64

	// Released says of a shard without an owner that its last one gave it up, by Release or Leave: everything that it sent is
	// recorded. It is false when the last owner's lease ended, or when nothing is known of it; what is sent then may repeat
	// what was sent before.
	Released bool
}

// Hint tells other nodes that something was committed.
type Hint struct {
	Node    int // who committed
	Shards  []int
	Lowest  ident.ID
	Records bool
}
