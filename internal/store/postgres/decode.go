package postgres

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Lists of columns of a table d, in the order in which decoder reads them.
const (
	eventFields = `d.id, d.organization, d.project, d.workspace, d.run, d.sequence, d.deliveries, d.kind, d.key, d.run_alias, d.body`

	// deliveryFields stand in the queue and in the history alike, behind the ID.
	deliveryFields = `d.event, d.organization, d.subscription, d.version, d.destination, d.run, d.sequence, d.due, d.origin,
		d.notice, d.attempts, d.cause, d.pinned, d.unordered`

	queueFields = `d.id, ` + deliveryFields

	attemptFields = `d.delivery, ` + deliveryFields + `, d.workspace, d.started, d.duration, d.retry_after, d.body_hash,
		d.number, d.status, d.body_size, d.state, d.class, d.node, d.repeat, d.trigger, d.address, d.detail, d.response`
)

// decoder reads the columns of one row in their order. Rows are read by the million when a node takes shards over, so it
// reads the binary format itself: an integer is as wide as it came.
type decoder struct {
	raw [][]byte
	at  int
}

func (d *decoder) next() []byte {
	value := d.raw[d.at]
	d.at++
	return value
}

func (d *decoder) int64() int64 {
	switch value := d.next(); len(value) {
	case 8:
		return int64(binary.BigEndian.Uint64(value))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(value)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(value)))
	case 1:
		return int64(value[0]) // a boolean
	}
	return 0 // NULL
}

func (d *decoder) int() int      { return int(d.int64()) }
func (d *decoder) id() ident.ID  { return ident.ID(d.int64()) }
func (d *decoder) bool() bool    { return d.int64() != 0 }
func (d *decoder) text() string  { return string(d.next()) }
func (d *decoder) bytes() []byte { return append([]byte(nil), d.next()...) }

func (d *decoder) duration() time.Duration { return time.Duration(d.int64()) }

func (d *decoder) moment() time.Time {
	if at := d.int64(); at != 0 {
		return time.Unix(0, at).UTC()
	}
	return time.Time{}
}

func (d *decoder) event() store.Event {
	return store.Event{
		ID: d.id(), Organization: d.id(), Project: d.id(), Workspace: d.id(), Run: d.id(), Sequence: d.int64(),
		Deliveries: d.int(), Kind: d.text(), Key: d.text(), RunAlias: d.text(), Body: d.bytes(),
	}
}

func (d *decoder) delivery() delivery.Delivery {
	return delivery.Delivery{
		ID: d.id(), Event: d.id(), Organization: d.id(), Subscription: d.id(), Version: d.int64(), Destination: d.id(),
		Run: d.id(), Sequence: d.int64(), Due: d.moment(), Origin: d.id(), Notice: d.int(), Attempts: d.int(),
		Cause: delivery.Cause(d.int()), Pinned: d.bool(), Unordered: d.bool(),
	}
}

func (d *decoder) attempt() (delivery.Attempt, error) {
	a := delivery.Attempt{Delivery: d.delivery(), Workspace: d.id()}
	a.Result.StartedAt, a.Result.Duration, a.Result.RetryAfter = d.moment(), d.duration(), d.duration()
	a.BodyHash, a.Number, a.Result.Status, a.BodySize = uint64(d.int64()), d.int(), d.int(), d.int()
	a.State, a.Result.Class, a.Node, a.Repeat = delivery.State(d.int()), classesByCode[d.int()], d.int(), d.bool()
	a.Trigger, a.Address, a.Result.Detail = d.text(), d.text(), d.text()
	var err error
	if a.Result.Response, err = parseResponse(d.next()); err != nil {
		return a, fmt.Errorf("attempt %d of delivery %s: %w", a.Number, a.Delivery.ID, err)
	}
	return a, nil
}

func readEvent(row pgx.CollectableRow) (store.Event, error) {
	d := decoder{raw: row.RawValues()}
	return d.event(), nil
}

func readDelivery(row pgx.CollectableRow) (delivery.Delivery, error) {
	d := decoder{raw: row.RawValues()}
	return d.delivery(), nil
}

func readAttempt(row pgx.CollectableRow) (delivery.Attempt, error) {
	d := decoder{raw: row.RawValues()}
	return d.attempt()
}
