package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// plan is a node of EXPLAIN's answer.
type plan struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Plans    []plan
}

// scans lists the whole tables that a plan reads, and the indexes that it reads without a bound.
func (p plan) scans() (found []string) {
	switch {
	case p.Type == "Seq Scan":
		found = append(found, "table "+p.Relation)
	case strings.HasPrefix(p.Type, "Index") && p.Cond == "":
		found = append(found, "whole index "+p.Index)
	}
	for _, child := range p.Plans {
		found = append(found, child.scans()...)
	}
	return found
}

// explain returns the plan of a statement.
func explain(t testing.TB, rows pgx.Rows, err error) plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// small reports whether a scan is of a table that has one row or a few dozen: the partitions ahead are empty.
func small(scan, partition string) bool {
	table := strings.TrimPrefix(scan, "table ")
	return slices.Contains([]string{"retention", "revision", "shard", "node", "book"}, table) ||
		strings.HasPrefix(table, partitionPrefix) && table != partition
}

// TestHotStatementsUseIndexes asks for the plans that the writers' connections keep, once when the tables are empty, as
// on a new installation, and once when they are full: they must not be other plans.
func TestHotStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	check := func(t *testing.T) {
		conn, err := s.writes.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		for name, sql := range hotStatements {
			nulls := strings.TrimSuffix(strings.Repeat("NULL, ", highestParameter(sql)), ", ")
			rows, err := conn.Query(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE "+name+"("+nulls+")", pgx.QueryExecModeSimpleProtocol)
			for _, scan := range explain(t, rows, err).scans() {
				t.Errorf("%s reads the %s", name, scan)
			}
		}
	}
	t.Run("empty", check)
	fillTables(t, s)
	t.Run("full", check)
}

func highestParameter(sql string) int {
	n := 0
	for strings.Contains(sql, fmt.Sprintf("$%d:", n+1)) {
		n++
	}
	return n
}

// fillTables stores thousands of rows of each kind and tells the planner.
func fillTables(t testing.TB, s *Store) {
	t.Helper()
	m := newMaker(t, time.Now())
	for range 20 {
		var b store.Batch
		for range 50 {
			a := m.accept(8)
			a.Event.Workspace, a.Event.Organization = a.Event.ID%97, a.Event.ID%13
			a.Event.Key, a.Event.RunAlias = a.Event.ID.String(), a.Event.ID.String()
			for i := range a.Deliveries {
				d := &a.Deliveries[i]
				d.Destination = ident.Derive("destination", d.ID.String())
				d.Subscription = ident.ID(int(d.ID>>6) % 499)
				d.Organization = a.Event.Organization
				if i%2 == 0 {
					attempt := ended(*d, delivery.Delivered)
					attempt.Workspace = a.Event.Workspace
					b.Attempts = append(b.Attempts, attempt)
				}
			}
			b.Accepts = append(b.Accepts, a)
		}
		commit(t, s, b)
	}
	const backlog = `INSERT INTO queue SELECT n, n, n, n, 0, n, n, 0, 0, 0, 0, 0, n % 64, 0, false, false FROM generate_series(1, 100000) n`
	for _, sql := range []string{backlog, "ANALYZE"} {
		if _, err := s.reads.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadsUseIndexes asks for the plans of the engine's reads and of the lists of people, on full tables.
func TestReadsUseIndexes(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	fillTables(t, s)
	partition := partitionOf(ident.At(time.Now())).name()
	statements := map[string]struct {
		sql  string
		args []any
	}{
		"queue":         {selectQueue, []any{int16(3), int64(0), int64(10)}},
		"queue since":   {selectQueueSince, []any{allShards(), int64(ident.At(time.Now())), int64(100)}},
		"queue rows":    {selectQueueRows, []any{[]int16{1, 2, 3}, []int64{1, 2, 3}}},
		"queue of":      {selectQueueOf, []any{int64(7), int64(0), int64(100)}},
		"events":        {selectEvents, []any{[]int64{1, 2, 3}}},
		"last of run":   {selectLastOfRun, []any{int64(5)}},
		"run events":    {selectRunEvents, []any{int64(5)}},
		"alias":         {selectRunByAlias, []any{"alias", []int64(nil)}},
		"newest":        {selectNewest, []any{int16(3)}},
		"duplicates":    {selectKeys, []any{[]int64{1}, []string{"k"}}},
		"sequences":     {selectSteps, []any{[]int64{1}, []int64{1}}},
		"attempts":      {selectAttempts, []any{int64(9)}},
		"attempts at":   {selectAttemptsAt, []any{[]int64{1, 2}, []int64{1, 2}}},
		"last answered": {selectLastAnswered, []any{int64(9)}},
		"old pending":   {selectOldPending, []any{allShards(), int64(5), int64(9)}},
	}
	for name, filter := range map[string]store.DeliveryFilter{
		"deliveries of a subscription": {Subscription: 7},
		"deliveries of a destination":  {Destination: ident.Derive("destination", "x")},
		"deliveries of a workspace":    {Workspace: 7, States: []delivery.State{delivery.Delivered}},
		"deliveries of organizations":  {Organizations: []ident.ID{3, 5}, States: []delivery.State{delivery.Delivered}},
		"failed of an organization":    {Organizations: []ident.ID{3}, States: []delivery.State{delivery.Exhausted}},
		"deliveries of a run":          {Run: 7},
		"deliveries of an event":       {Event: 7},
	} {
		l := listing{filter: filter, page: store.Page{Newest: true}}
		sql := "SELECT d.* FROM (" + strings.Join(l.parts(), " UNION ALL ") + ") d" + l.order("d.id", l.page)
		statements[name] = struct {
			sql  string
			args []any
		}{sql, l.args}
	}
	for name, statement := range statements {
		t.Run(name, func(t *testing.T) {
			rows, err := s.reads.Query(t.Context(), "EXPLAIN (FORMAT JSON) "+statement.sql, statement.args...)
			for _, scan := range explain(t, rows, err).scans() {
				if !small(scan, partition) {
					t.Errorf("reads the %s", scan)
				}
			}
		})
	}
}

// TestRetriesStayInTheirPage moves rows as failed attempts do: no index learns of it.
func TestRetriesStayInTheirPage(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	var b store.Batch
	m := newMaker(t, time.Now())
	for range 40 {
		a := m.accept(10)
		for i := range a.Deliveries {
			if i%5 == 0 {
				moved := a.Deliveries[i]
				moved.Attempts, moved.Due = 1, moved.Due.Add(time.Hour)
				b.Moves = append(b.Moves, moved)
			}
		}
		b.Accepts = append(b.Accepts, a)
	}
	commit(t, s, store.Batch{Accepts: b.Accepts})
	commit(t, s, store.Batch{Moves: b.Moves})
	s.writes.Reset() // a backend reports when it ends
	eventually(t, "the statistics", func() (bool, error) {
		var updated, hot int
		err := s.reads.QueryRow(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'queue'").Scan(&updated, &hot)
		if updated == len(b.Moves) && hot < updated*9/10 {
			t.Fatalf("%d of %d updates stayed in their page", hot, updated)
		}
		return updated == len(b.Moves), err
	})
}
