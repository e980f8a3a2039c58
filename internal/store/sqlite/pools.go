package sqlite

import (
	"context"
	"fmt"
	"time"
)

// update runs work in one transaction on the connection that writes. It returns when the transaction is durable.
func (s *Store) update(ctx context.Context, work func(c *conn) error) error {
	c, err := s.take(ctx, s.writer)
	if err != nil {
		return err
	}
	defer func() { s.writer <- c }()
	err = c.transact(func() error { return work(c) })
	s.lanes.settle(err == nil)
	if err != nil {
		return err
	}
	s.checkpointer.wrote(c)
	return nil
}

// view runs work on one of the engine's connections that read. Everything that work reads is from one moment.
func (s *Store) view(ctx context.Context, work func(c *conn) error) error {
	return s.read(ctx, s.readers, work)
}

// browse is view for what people look at, which may take long.
func (s *Store) browse(ctx context.Context, work func(c *conn) error) error {
	return s.read(ctx, s.browsers, work)
}

func (s *Store) read(ctx context.Context, pool chan *conn, work func(c *conn) error) error {
	c, err := s.take(ctx, pool)
	if err != nil {
		return err
	}
	defer func() { pool <- c }()
	if err := c.do(beginRead); err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer c.undo()
	if ctx.Done() != nil {
		defer c.interruptWhen(ctx)()
	}
	err = work(c)
	if isInterrupted(err) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// interruptWhen interrupts what the connection does from the moment on that ctx ends. The function that it returns ends
// that, and returns when no interrupt can come any more: the next user of the connection must not get it.
func (c *conn) interruptWhen(ctx context.Context) (end func()) {
	ended, over := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		// An interrupt that comes between two statements is forgotten when the next one begins, so one is not enough.
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		for {
			c.interrupt()
			select {
			case <-ended:
				return
			case <-again.C:
			}
		}
	})
	return func() {
		close(ended)
		if !stop() {
			<-over
		}
	}
}

func (s *Store) take(ctx context.Context, pool chan *conn) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-pool:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, errClosed
	}
}

// each binds the parameters of a statement, then calls row for each row until it returns false.
func (c *conn) each(text string, bind func(*stmt), row func(*stmt) (bool, error)) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	defer s.done()
	if bind != nil {
		bind(s)
	}
	for {
		more, err := s.step()
		if err != nil || !more {
			return err
		}
		if again, err := row(s); err != nil || !again {
			return err
		}
	}
}

// one is each for statements that return one row at most; it reports whether there was one.
func (c *conn) one(text string, bind func(*stmt), row func(*stmt) error) (found bool, err error) {
	err = c.each(text, bind, func(s *stmt) (bool, error) {
		found = true
		if row == nil {
			return false, nil
		}
		return false, row(s)
	})
	return found, err
}
