package sqlite

import "fmt"

// setUp makes the connection that writes what the promises need: a write-ahead log that is synced on every commit. Both
// settings are read back, for a database that can not do so must not answer that something is durable.
func setUp(c *conn, cacheBytes int) error {
	settings := fmt.Sprintf(`
		PRAGMA journal_mode=WAL;
		PRAGMA synchronous=FULL;
		PRAGMA temp_store=MEMORY;
		PRAGMA cache_size=-%d;
		PRAGMA wal_autocheckpoint=0;
		PRAGMA journal_size_limit=%d`, cacheBytes>>10, 2*checkpointPages*4096)
	if err := c.exec(settings); err != nil {
		return fmt.Errorf("set up the database: %w", err)
	}
	const full = 2
	for _, check := range []struct{ pragma, want string }{
		{"PRAGMA journal_mode", "wal"},
		{"PRAGMA synchronous", fmt.Sprint(full)},
	} {
		var got string
		if _, err := c.one(check.pragma, nil, func(s *stmt) error { got = s.colText(0); return nil }); err != nil {
			return fmt.Errorf("check the database: %w", err)
		}
		if got != check.want {
			return fmt.Errorf("%s is %q and must be %q: the file system does not offer what a durable commit needs", check.pragma, got, check.want)
		}
	}
	return nil
}

// countOpening raises the counter that makes this process's epochs greater than those of all before it. Clean says that
// the process before it left everything recorded.
func countOpening(c *conn) (opened int64, clean bool, err error) {
	err = c.transact(func() error {
		_, err := c.one("UPDATE counter SET opened = opened + 1 RETURNING opened, clean", nil, func(s *stmt) error {
			opened = s.colInt(0)
			clean = opened > 1 && s.colInt(1) == opened-1
			return nil
		})
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("count the opening: %w", err)
	}
	return opened, clean, nil
}
