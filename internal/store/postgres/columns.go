package postgres

import (
	"math"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// finalPlace is the place of a final attempt: after all others.
const finalPlace = math.MaxInt32

// nanos is how a moment is stored: nanoseconds since 1970, 0 for none.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// place orders a delivery's attempts.
func place(a *delivery.Attempt) int {
	if a.State != delivery.Pending {
		return finalPlace
	}
	return a.Number
}

// eventColumns adds the columns of events in the order of insertEvents.
func eventColumns(a *arrays, events []*store.Event) {
	n := len(events)
	a.int64s(n, func(i int) int64 { return int64(events[i].ID) })
	a.int64s(n, func(i int) int64 { return int64(events[i].Organization) })
	a.int64s(n, func(i int) int64 { return int64(events[i].Project) })
	a.int64s(n, func(i int) int64 { return int64(events[i].Workspace) })
	a.int64s(n, func(i int) int64 { return int64(events[i].Run) })
	a.int64s(n, func(i int) int64 { return events[i].Sequence })
	a.int32s(n, func(i int) int { return events[i].Deliveries })
	a.texts(n, func(i int) string { return events[i].Kind })
	a.texts(n, func(i int) string { return events[i].Key })
	a.texts(n, func(i int) string { return events[i].RunAlias })
	a.bytes(n, func(buf []byte, i int) []byte { return append(buf, events[i].Body...) })
}

// queueColumns adds the columns of deliveries in the order of insertQueue.
func queueColumns(a *arrays, rows []*delivery.Delivery) {
	n := len(rows)
	a.int64s(n, func(i int) int64 { return int64(rows[i].ID) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Event) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Organization) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Subscription) })
	a.int64s(n, func(i int) int64 { return rows[i].Version })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Destination) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Run) })
	a.int64s(n, func(i int) int64 { return rows[i].Sequence })
	a.int64s(n, func(i int) int64 { return nanos(rows[i].Due) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Origin) })
	a.int32s(n, func(i int) int { return rows[i].Notice })
	a.int32s(n, func(i int) int { return rows[i].Attempts })
	a.int16s(n, func(i int) int { return rows[i].Shard() })
	a.int16s(n, func(i int) int { return int(rows[i].Cause) })
	a.bools(n, func(i int) bool { return rows[i].Pinned })
	a.bools(n, func(i int) bool { return rows[i].Unordered })
}

// attemptColumns adds the columns of attempts in the order of insertAttempts.
func attemptColumns(a *arrays, rows []delivery.Attempt) {
	n := len(rows)
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.ID) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Event) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Organization) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Subscription) })
	a.int64s(n, func(i int) int64 { return rows[i].Delivery.Version })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Destination) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Run) })
	a.int64s(n, func(i int) int64 { return rows[i].Delivery.Sequence })
	a.int64s(n, func(i int) int64 { return nanos(rows[i].Delivery.Due) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Delivery.Origin) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Workspace) })
	a.int64s(n, func(i int) int64 { return nanos(rows[i].Result.StartedAt) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Result.Duration) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].Result.RetryAfter) })
	a.int64s(n, func(i int) int64 { return int64(rows[i].BodyHash) })
	a.int32s(n, func(i int) int { return rows[i].Delivery.Notice })
	a.int32s(n, func(i int) int { return rows[i].Delivery.Attempts })
	a.int32s(n, func(i int) int { return rows[i].Number })
	a.int32s(n, func(i int) int { return place(&rows[i]) })
	a.int32s(n, func(i int) int { return rows[i].Result.Status })
	a.int32s(n, func(i int) int { return rows[i].BodySize })
	a.int16s(n, func(i int) int { return int(rows[i].Delivery.Cause) })
	a.int16s(n, func(i int) int { return int(rows[i].State) })
	a.int16s(n, func(i int) int { return classCodes[rows[i].Result.Class] })
	a.int16s(n, func(i int) int { return rows[i].Node })
	a.bools(n, func(i int) bool { return rows[i].Delivery.Pinned })
	a.bools(n, func(i int) bool { return rows[i].Delivery.Unordered })
	a.bools(n, func(i int) bool { return rows[i].Repeat })
	a.texts(n, func(i int) string { return rows[i].Trigger })
	a.texts(n, func(i int) string { return rows[i].Address })
	a.texts(n, func(i int) string { return rows[i].Result.Detail })
	a.bytes(n, func(buf []byte, i int) []byte { return appendResponse(buf, rows[i].Result.Response) })
}

// keyColumns adds the keys of deliveries: shards and IDs.
func keyColumns(a *arrays, n int, at func(int) *delivery.Delivery) {
	a.int16s(n, func(i int) int { return at(i).Shard() })
	a.int64s(n, func(i int) int64 { return int64(at(i).ID) })
}
