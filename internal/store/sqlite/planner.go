package sqlite

import (
	"cmp"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// The ways to deliveries. attempt's indexes end with the primary key, so each of them is in the order of deliveries.
const (
	finalsOfSubscription = "INDEXED BY attempt_subscription WHERE subscription = ? AND delivery BETWEEN ? AND ? AND slot = 0"
	finalsFailed         = "INDEXED BY attempt_failed WHERE state >= 2 AND delivery BETWEEN ? AND ? AND slot = 0"
	finalsAside          = "INDEXED BY attempt_aside WHERE cause <> 0 AND delivery BETWEEN ? AND ? AND slot = 0"
	finalsAnywhere       = "WHERE delivery BETWEEN ? AND ? AND slot = 0"
	rowsOfSubscription   = "INDEXED BY queue_subscription WHERE subscription = ? AND id BETWEEN ? AND ?"
	rowsAside            = "INDEXED BY queue_aside WHERE aside IS NOT NULL AND id BETWEEN ? AND ?"
	rowsOfShard          = "WHERE shard = ? AND id BETWEEN ? AND ?"

	blockColumns = "SELECT id, deliveries, workspace, run FROM event "
	blockByEvent = "WHERE id = ?"
	blocksOfRun  = "WHERE run = ?"

	finalsOfRepeats = attemptColumns + "INDEXED BY attempt_origin WHERE origin BETWEEN ? AND ? AND slot = 0"
	rowsOfRepeats   = queueColumns + "INDEXED BY queue_aside_event WHERE aside = ?"
)

// planner opens the sources of a lister. After the first error it opens no more.
type planner struct {
	l       *lister
	sources []source[store.Summary]
	err     error
}

func (p *planner) add(s source[store.Summary]) { p.sources = append(p.sources, s) }

// open prepares a statement that reads the span, of one key where the way has one.
func (p *planner) open(columns, way, id string, key ident.ID) *stmt {
	if p.err != nil {
		return nil
	}
	s, err := p.l.c.prepare(columns + way + p.l.at.order(id))
	if err != nil {
		p.err = err
		return nil
	}
	if key != 0 {
		s.int(int64(key))
	}
	return s
}

// finals reads final attempts.
func (p *planner) finals(way string, key ident.ID) {
	if !p.l.final {
		return
	}
	if s := p.open(attemptColumns, way, "delivery", key); s != nil {
		s.int(int64(p.l.at.lo)).int(int64(p.l.at.hi))
		p.add(&rowSource{l: p.l, s: s, scan: scanFinal})
	}
}

// rows reads the queue.
func (p *planner) rows(way string, key ident.ID) {
	if !p.l.pending {
		return
	}
	if s := p.open(queueColumns, way, "id", key); s != nil {
		s.int(int64(p.l.at.lo)).int(int64(p.l.at.hi))
		p.add(&rowSource{l: p.l, s: s, scan: scanPending})
	}
}

// asides reads what is not in an event's block of deliveries, wherever it belongs.
func (p *planner) asides() {
	if p.l.aside {
		p.finals(finalsAside, 0)
		p.rows(rowsAside, 0)
	}
}

// shards reads the whole queue, or the shard of the destination that the filter names.
func (p *planner) shards() {
	if !p.l.pending || p.err != nil {
		return
	}
	if p.l.f.Destination != 0 {
		p.add(&shardSource{l: p.l, shard: delivery.ShardOf(p.l.f.Destination), rest: p.l.at})
		return
	}
	for shard := range delivery.Shards {
		p.add(&shardSource{l: p.l, shard: shard, rest: p.l.at})
	}
}

// organizations reads each organization's deliveries from its events. What is owed is asked for one by one where a page
// fills with whatever comes; a filter by status rejects most of it, so the queue is read then.
func (p *planner) organizations() {
	single := p.l.pending && p.l.f.StatusFrom == 0 && p.l.f.StatusTo == 0
	for _, organization := range distinct(p.l.f.Organizations) {
		p.events(eventsInOrganization, organization, single)
	}
	if p.l.aside {
		p.finals(finalsAside, 0)
	}
	switch {
	case !single:
		p.shards()
	case p.l.aside:
		p.rows(rowsAside, 0)
	}
}

// lanes reads the subscriptions that ever had the destination; false means that they are too many.
func (p *planner) lanes() bool {
	const most = 32
	var subscriptions []ident.ID
	if subscriptions, p.err = p.l.c.lanes(p.l.f.Destination, most); len(subscriptions) > most {
		return false
	}
	for _, subscription := range subscriptions {
		p.finals(finalsOfSubscription, subscription)
	}
	p.shards()
	return true
}

// events reads the blocks of the events of a place, with what is pending of them if that is asked for. The block that the
// span begins in belongs to an event before it.
func (p *planner) events(way string, key ident.ID, pending bool) {
	if !p.l.block || p.err != nil {
		return
	}
	first, back := p.l.at.lo, span{newest: true}
	_, p.err = p.l.c.one(blockColumns+way+back.order("id")+" LIMIT 1",
		func(s *stmt) { s.int(int64(key)).int(1).int(int64(p.l.at.lo)) },
		func(s *stmt) error { first = ident.ID(s.colInt(0)); return nil })
	if s := p.open(blockColumns, way, "id", key); s != nil {
		s.int(int64(first)).int(int64(p.l.at.hi))
		p.add(&blockSource{l: p.l, s: s, pending: pending})
	}
}

// fewEvents reads the blocks of the event or the run that the filter names, and everything that repeats them.
func (p *planner) fewEvents() {
	way, key := blockByEvent, p.l.f.Event
	if key == 0 {
		way, key = blocksOfRun, p.l.f.Run
	}
	var few []block
	p.err = p.l.c.each(blockColumns+way, func(s *stmt) { s.int(int64(key)) }, func(s *stmt) (bool, error) {
		if b := scanBlock(s); p.l.f.Run == 0 || b.run == p.l.f.Run {
			few = append(few, b)
		}
		return true, nil
	})
	if p.err != nil {
		return
	}
	slices.SortFunc(few, func(a, b block) int { return cmp.Compare(a.event, b.event) })
	if p.l.at.newest {
		slices.Reverse(few)
	}
	if p.l.block {
		p.add(&blockSource{l: p.l, few: few, pending: p.l.pending})
	}
	if p.l.aside {
		p.add(&repeatSource{l: p.l, blocks: few})
	}
}
