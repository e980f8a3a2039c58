// Package local carries work that Carillon does itself: a delivery whose message does not leave the process, but is done
// by a part of the program. So such work is durable, repeated and shown as every other delivery is.
//
// It makes one try, decides nothing and stores nothing.
package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/transport"
)

// Worker does the work of a message. A *fault.Error says that trying again is of no use, unless it is fault.Unavailable;
// any other error that it may help.
type Worker func(ctx context.Context, msg *delivery.Message) error

// Transport hands messages to workers by the scheme of their address.
type Transport struct {
	Workers map[string]Worker
	Now     func() time.Time // time.Now when nil
}

var _ transport.Transport = (*Transport)(nil)

// defaultTimeout bounds work whose message sets no limit.
const defaultTimeout = 30 * time.Second

// Send does the work.
func (t *Transport) Send(ctx context.Context, _ transport.Lane, msg *delivery.Message) delivery.Result {
	now := t.Now
	if now == nil {
		now = time.Now
	}
	started := now()
	timeout := msg.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := t.work(within, msg)
	result := delivery.Result{Class: delivery.ClassAnswered, Status: status(err), StartedAt: started.UTC(), Duration: now().Sub(started)}
	if err != nil && ctx.Err() != nil {
		return delivery.Result{Class: delivery.ClassStopped, StartedAt: started.UTC(), Duration: result.Duration}
	}
	result.Response = &delivery.Response{Status: result.Status, Header: map[string][]string{}}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		result.Response.Body = []byte(f.Message)
	}
	return result
}

// work finds the worker. A panic is an error: one message that a worker can not cope with must not end the program.
func (t *Transport) work(ctx context.Context, msg *delivery.Message) (err error) {
	scheme, _, _ := strings.Cut(msg.URL, ":")
	worker := t.Workers[scheme]
	if worker == nil {
		return fault.New(fault.Unsupported, "There is nobody for this work.")
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return worker(ctx, msg)
}

// status is how HTTP would say it: the policies of retrying speak that language.
func status(err error) int {
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case err == nil:
		return http.StatusOK
	case ok && f.Code != fault.Unavailable && f.Code != fault.Internal:
		return http.StatusUnprocessableEntity
	}
	return http.StatusServiceUnavailable
}

// Close has nothing to close.
func (*Transport) Close() error { return nil }
