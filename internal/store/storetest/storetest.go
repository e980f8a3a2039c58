// Package storetest is the suite that every store passes: each promise of package store as a test.
//
// It knows no database. A store's own tests call Run with a function that opens an empty database of its own for each
// test; what only that database can get wrong (its migrations, its plans, its locks) is tested beside the store. The
// package never looks behind the interface.
package storetest

import (
	"testing"

	"carillon/internal/store"
)

// Options say what a store offers beyond one process with one database.
type Options struct {
	// Reopen opens the database of s, a store that open returned, once more: after s was closed, and with Cluster also
	// beside it. The suite closes what it gets. Without Reopen the tests that need it fail.
	Reopen func(t *testing.T, s store.Store) store.Store

	// Cluster says that several nodes share a database: the tests of leases between nodes run too.
	Cluster bool
}

// part is one group of tests; each gets a world with an empty database.
type part struct {
	name string
	run  func(*world)
}

// Run tests a store. open returns a store on an empty database; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store, options ...Options) {
	var o Options
	for _, given := range options {
		o = given
	}
	parts := [][]part{
		commitParts, verdictParts, ledgerParts, queueParts, booksParts, attemptParts,
		eventParts, runParts, deliveryParts, pruneParts,
		recordParts, changeParts, leaseParts, concurrencyParts, reopenParts,
	}
	if o.Cluster {
		parts = append(parts, clusterParts)
	}
	for _, group := range parts {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.run(newWorld(t, open, o))
			})
		}
	}
}
