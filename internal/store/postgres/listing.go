package postgres

import (
	"slices"
	"strconv"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// listing puts the statement of a list of deliveries together from parts: the queue for pending ones, the history for the
// others, and each of them once more when a filter by event or run asks for deliveries whose IDs do not follow the
// event's. Every part reads an index in the order of IDs and stops at the page's end.
type listing struct {
	query
	filter   store.DeliveryFilter
	page     store.Page
	counting bool
}

// Conditions on how a delivery's ID lies to its event's (table e).
var (
	inBlock = "d.cause = 0 AND %[1]s > e.id AND %[1]s <= e.id + e.deliveries * " + strconv.Itoa(int(ident.Step)) + "::bigint"
	apart   = "d.cause <> 0 AND d.event = e.id"
)

// visible leaves out attempts whose event was removed. Nothing above the floor was; below it the event must be there.
// What has no event goes by its own age. The event is looked up by a subquery for one value: EXISTS within OR may be
// planned as a hash of all events.
const visible = `(d.event >= (SELECT floor FROM retention)
	OR d.cause = 4 AND d.delivery >= (SELECT floor FROM retention)
	OR (SELECT v.id FROM event v WHERE v.id = d.event) IS NOT NULL)`

// endedBadly is what the index of failures holds.
const endedBadly = "d.state >= 2"

func (l *listing) parts() []string {
	pending, ended := states(l.filter)
	var parts []string
	for _, scope := range l.scopes() {
		if pending {
			parts = append(parts, l.queuePart(scope))
		}
		if len(ended) > 0 {
			parts = append(parts, l.historyPart(scope, ended))
		}
	}
	return parts
}

// scope is what leads to rows: nothing, or the events of a run or one event, and how their deliveries' IDs lie to theirs.
type scope struct {
	events string // a source of events as table e
	rows   string // a condition on d, with the column of the ID left open
}

func (l *listing) scopes() []scope {
	var where conditions
	if l.filter.Event != 0 {
		where = append(where, l.bind("v.id = ?::bigint", int64(l.filter.Event)))
	}
	if l.filter.Run != 0 {
		where = append(where, l.bind("v.run = ?::bigint AND v.run <> 0", int64(l.filter.Run)))
	}
	if where == nil {
		return []scope{{}}
	}
	events := "(SELECT v.id, v.deliveries FROM event v" + where.where() + ") e"
	return []scope{{events, inBlock}, {events, apart}}
}

// queuePart reads pending deliveries. The queue is ordered by shard first, so each shard that can hold some is read by
// itself, unless the index of repeated deliveries leads to the rows.
func (l *listing) queuePart(in scope) string {
	const id = "d.id"
	f := l.filter
	where, _ := l.common(id, in, true)
	from := []string{in.events}
	if in.rows != apart {
		from = append(from, l.shards())
		where = append(where, "d.shard = s.shard")
	}
	if f.Workspace != 0 {
		where = append(where, l.bind("(SELECT v.workspace FROM event v WHERE v.id = d.event) = ?::bigint", int64(f.Workspace)))
	}
	source, place := "queue d", "NULL::integer"
	status := l.status("last")
	if !l.counting || status != nil {
		source += ` LEFT JOIN LATERAL (SELECT a.place, a.class, a.status FROM attempt a WHERE a.delivery = d.id
			ORDER BY a.place DESC LIMIT 1) last ON true`
		place = "last.place"
	}
	return l.part(from, queueFields+", true AS pending, "+place+" AS place", source, append(where, status...), id)
}

// shards lists the shards that can hold what is asked for, as table s.
func (l *listing) shards() string {
	switch f := l.filter; {
	case f.Destination != 0:
		return l.bind("unnest(?::smallint[]) AS s (shard)", []int16{int16(delivery.ShardOf(f.Destination))})
	case f.Subscription != 0:
		return l.bind("(SELECT DISTINCT l.shard FROM lane l WHERE l.subscription = ?::bigint) s", int64(f.Subscription))
	}
	return l.bind("unnest(?::smallint[]) AS s (shard)", allShards())
}

// historyPart reads deliveries that ended, from their final attempts.
func (l *listing) historyPart(in scope, ended []int16) string {
	const id = "d.delivery"
	f := l.filter
	narrowed := in.rows != "" || f.Subscription != 0 || f.Destination != 0 || f.Workspace != 0
	where, organizations := l.common(id, in, narrowed)
	from := []string{in.events, organizations}
	if f.Destination != 0 && f.Subscription == 0 && in.rows == "" {
		from = append(from, l.bind("(SELECT subscription FROM lane WHERE destination = ?::bigint) l", int64(f.Destination)))
		where = append(where, "d.subscription = l.subscription")
	}
	where = append(where, "d.state <> 0", visible)
	if len(ended) < len(delivery.States())-1 {
		where = append(where, l.bind("d.state = ANY(?::smallint[])", ended))
	}
	if ended[0] >= 2 || f.StatusFrom >= 300 {
		where = append(where, endedBadly)
	}
	if f.Workspace != 0 {
		where = append(where, l.bind("d.workspace = ?::bigint", int64(f.Workspace)))
	}
	where = append(where, l.status("d")...)
	fields := "d.delivery AS id, " + deliveryFields + ", false AS pending, d.place"
	return l.part(from, fields, "attempt d", where, id)
}

// common are the conditions on columns that the queue and the history share. organizations is what the part must run over
// for them, if anything.
func (l *listing) common(id string, in scope, narrowed bool) (where conditions, organizations string) {
	f := l.filter
	where, organizations = l.organizations(f.Organizations, narrowed)
	if in.rows != "" {
		where = append(where, strings.ReplaceAll(in.rows, "%[1]s", id))
	}
	equal := func(column string, id ident.ID) {
		if id != 0 {
			where = append(where, l.bind(column+" = ?::bigint", int64(id)))
		}
	}
	equal("d.event", f.Event)
	equal("d.run", f.Run)
	equal("d.subscription", f.Subscription)
	equal("d.destination", f.Destination)
	if f.Cause != nil {
		where = append(where, l.bind("d.cause = ?::smallint", int16(*f.Cause)))
	}
	return append(where, l.within(id, f.Range, l.page)...), organizations
}

// status chooses by the last answer, in table last. Who asks for a status asks for answers.
func (l *listing) status(last string) conditions {
	f := l.filter
	if f.StatusFrom == 0 && f.StatusTo == 0 {
		return nil
	}
	where := conditions{
		last + ".class = " + strconv.Itoa(answered),
		l.bind(last+".status >= ?::integer", int32(f.StatusFrom)),
	}
	if f.StatusTo != 0 {
		where = append(where, l.bind(last+".status <= ?::integer", int32(f.StatusTo)))
	}
	return where
}

// part writes one part, run over each row of its sources.
func (l *listing) part(from []string, fields, source string, where conditions, id string) string {
	sources := strings.Join(slices.DeleteFunc(from, func(one string) bool { return one == "" }), " CROSS JOIN ")
	end := func(column string) string {
		if l.counting {
			return l.bind(" LIMIT ?::bigint", limit(l.page))
		}
		return l.order(column, l.page)
	}
	inner := "SELECT " + fields + " FROM " + source + where.where() + end(id)
	return "(" + over(sources, inner, func() string { return end("d.id") }) + ")"
}
