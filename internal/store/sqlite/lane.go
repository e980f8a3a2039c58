package sqlite

import (
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

const (
	insertLane     = `INSERT OR IGNORE INTO lane (destination, subscription) VALUES (?, ?)`
	lanesOf        = `SELECT subscription FROM lane WHERE destination = ? LIMIT ?`
	mostRemembered = 1 << 20
)

// lane is a subscription that has deliveries to a destination.
type lane struct{ destination, subscription ident.ID }

// lanes remembers which lanes are in their table, so that the table is written for new ones only. Whoever has the
// connection that writes may use it.
type lanes struct {
	known map[lane]bool
	fresh []lane // of the transaction under way: known when it is durable
}

// see notes the lane of a delivery.
func (l *lanes) see(c *conn, d *delivery.Delivery) error {
	one := lane{d.Destination, d.Subscription}
	if l.known[one] {
		return nil
	}
	_, err := c.one(insertLane, func(s *stmt) { s.int(int64(one.destination)).int(int64(one.subscription)) }, nil)
	if err != nil {
		return fmt.Errorf("insert a lane: %w", err)
	}
	l.fresh = append(l.fresh, one)
	return nil
}

// settle ends a transaction: what it wrote is known if it is durable.
func (l *lanes) settle(durable bool) {
	if durable && len(l.fresh) > 0 {
		if l.known == nil || len(l.known) > mostRemembered {
			l.known = map[lane]bool{}
		}
		for _, one := range l.fresh {
			l.known[one] = true
		}
	}
	l.fresh = l.fresh[:0]
}

// lanes returns the subscriptions that ever had a delivery to the destination, one more than most if there are too many.
func (c *conn) lanes(destination ident.ID, most int) (subscriptions []ident.ID, err error) {
	err = c.each(lanesOf, func(s *stmt) { s.int(int64(destination)).int(int64(most + 1)) }, func(s *stmt) (bool, error) {
		subscriptions = append(subscriptions, ident.ID(s.colInt(0)))
		return true, nil
	})
	return subscriptions, err
}
