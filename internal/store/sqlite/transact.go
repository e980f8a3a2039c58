package sqlite

import "fmt"

const (
	beginImmediate = "BEGIN IMMEDIATE"
	beginRead      = "BEGIN"
	commit         = "COMMIT"
	rollback       = "ROLLBACK"
)

// transact runs work in one transaction: all of it is durable when transact returns nil, none of it otherwise.
func (c *conn) transact(work func() error) error {
	if err := c.do(beginImmediate); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := work()
	if err == nil {
		if err = c.do(commit); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	c.undo()
	return err
}

// undo ends a transaction without its effects. Some errors have ended it already.
func (c *conn) undo() {
	if c.inTransaction() {
		// A rollback that fails leaves nothing to do: the next begin will fail and say why.
		_ = c.do(rollback)
	}
}

// do runs a statement without parameters.
func (c *conn) do(text string) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	defer s.done()
	return s.run()
}
