package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// refusal is why the server did not take a batch, as far as something can be done about it.
type refusal int

const (
	refusedOtherwise refusal = iota
	refusedFence             // a shard belongs to another node
	refusedEvent             // an event's key, sequence or ID is there already
	refusedRow               // a row of the queue or of the history is there already
	refusedPartition         // no partition takes an attempt
	refusedOrder             // the transaction had to give way to another
)

// Codes of PostgreSQL's errors, and ours.
const (
	codeUnique        = "23505"
	codeCheck         = "23514"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeLockTimeout   = "55P03"
	codeFenced        = "CA001" // raised by the function fence
)

// hasCode reports whether an error is one of the server's with the code.
func hasCode(err error, code string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == code
}

// constraintOf returns the name of the constraint that an error is about.
func constraintOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.ConstraintName
	}
	return ""
}

func refusalOf(err error) refusal {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return refusedOtherwise
	}
	switch e.Code {
	case codeFenced:
		return refusedFence
	case codeDeadlock, codeSerialization:
		return refusedOrder
	case codeUnique:
		if e.TableName == "event" {
			return refusedEvent
		}
		return refusedRow
	case codeCheck:
		// The one check on attempts is that a partition takes them.
		if e.TableName == "attempt" {
			return refusedPartition
		}
	}
	return refusedOtherwise
}

// lost reports whether an error says that the connection, not the statement, failed.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, puddle.ErrClosedPool) {
		return false
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true
	}
	// 08: connection; 57P01…57P03: the server is shutting down, has crashed, is starting.
	return e.Code[:2] == "08" || e.Code[:3] == "57P"
}

// renewPools drops idle connections after one was lost: the others led to the same server. Each would cost somebody an
// error otherwise.
func (s *Store) renewPools(err error) {
	if !lost(err) {
		return
	}
	s.log.Debug("connecting to the database again", "error", err)
	for _, pool := range s.pools() {
		pool.Reset()
	}
}
