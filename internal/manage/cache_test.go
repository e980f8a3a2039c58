package manage

import (
	"testing"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

func entry(id ident.ID, name string) *cached {
	return &cached{
		record: store.Record{Kind: store.KindWorkspace, ID: id, Parent: 1, Name: name, Aliases: []string{"a:" + name}},
		name:   name, object: &estate.Workspace{},
	}
}

func key(id ident.ID) store.RecordKey { return store.RecordKey{Kind: store.KindWorkspace, ID: id} }

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const size = 100
	c := newCache(size)
	for round := range 3 {
		for id := range ident.ID(10 * size) {
			_, epoch := c.get(key(id + 1))
			c.put(epoch, entry(id+1, "x"), nameKey{kind: store.KindWorkspace, parent: id, name: "x"}, nameKey{kind: store.KindWorkspace, parent: id, name: "x", wide: true})
			c.get(key(id%size + 1)) // some are always in use
			if n := c.size(); n > size {
				t.Fatalf("round %d: %d records", round, n)
			}
		}
	}
	if names := len(c.young.names) + len(c.old.names); names > 4*size {
		t.Errorf("%d names", names)
	}
}

func TestCacheKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	c.put(c.epoch, entry(1, "used"))
	for id := range ident.ID(1000) {
		c.put(c.epoch, entry(id+2, "x"))
		if found, _ := c.get(key(1)); found == nil {
			t.Fatalf("forgotten after %d others", id)
		}
	}
}

// A record that was read before a change must not come in after it.
func TestCacheRefusesLateReaders(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	_, epoch := c.get(key(1))
	c.forget(key(1))
	c.put(epoch, entry(1, "stale"))
	if found, _ := c.get(key(1)); found != nil {
		t.Error("the cache holds what was read before the change")
	}
}

func TestCacheAsksWhetherANameStillHolds(t *testing.T) {
	t.Parallel()
	c := newCache(10)
	byName := nameKey{kind: store.KindWorkspace, parent: 1, name: "old"}
	byAlias := nameKey{kind: store.KindWorkspace, name: "a:old", alias: true}
	wide := nameKey{kind: store.KindWorkspace, parent: 9, name: "old", wide: true}
	c.put(c.epoch, entry(1, "old"), byName, byAlias, wide)
	for _, way := range []nameKey{byName, byAlias, wide} {
		if found, _ := c.find(way); found == nil {
			t.Errorf("%+v leads nowhere", way)
		}
	}
	c.put(c.epoch, entry(1, "new"))
	for _, way := range []nameKey{byName, byAlias, wide} {
		if found, _ := c.find(way); found != nil {
			t.Errorf("%+v leads to what has another name now", way)
		}
	}
	c.put(c.epoch, entry(2, "old"), wide)
	c.forget(key(3))
	if found, _ := c.find(wide); found != nil {
		t.Error("a wide name survived the change of another workspace")
	}
	c.clear()
	if c.size() != 0 {
		t.Error("cleared, and not empty")
	}
}

func TestAliasesAreCutAgain(t *testing.T) {
	t.Parallel()
	org := ident.At(ident.ID(1 << 50).Time())
	for _, alias := range []string{"plain:x", "plain:a/b:c"} {
		for _, within := range []ident.ID{0, org} {
			dialect, identifier, ok := cutAlias(aliasIn(within, alias))
			if !ok || estate.Alias(dialect, identifier) != alias || dialect != "plain" {
				t.Errorf("%q in %d is cut into %q and %q", alias, within, dialect, identifier)
			}
		}
	}
}
