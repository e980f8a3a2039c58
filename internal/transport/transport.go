// Package transport is the contract of what carries a message to its receiver: HTTP, SMTP.
//
// A transport makes exactly one try. It never retries, follows no redirect, decides nothing and stores nothing; whether a
// failure may be tried again is the policy's business.
package transport

import (
	"context"

	"carillon/internal/delivery"
)

// Transport sends messages of one kind. Send returns when the receiver's answer was read or the attempt failed; failures
// are in the Result, with a class and a text that may be shown to people. It is safe for concurrent use.
type Transport interface {
	Send(ctx context.Context, lane Lane, msg *delivery.Message) delivery.Result

	// Close drops idle connections.
	Close() error
}

// Lane names the destination that a message goes to, so that a transport can keep connections apart per destination and
// bound them.
type Lane struct {
	Key         string // the destination's ID
	Concurrency int    // requests in flight, at most
}
