package spool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Drain sends what processes left behind for the destination, once, the oldest first, and reports. It stops at the first
// attempt that fails.
func Drain(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	paths, err := leftovers(o.directory())
	if err != nil {
		return Report{}, err
	}
	c := &courier{o: o}
	var failed error
	for _, path := range paths {
		if failed != nil {
			c.report.Kept += count(path)
			continue
		}
		var kept int
		kept, failed = c.deliver(ctx, path)
		c.report.Kept += kept
	}
	if c.report.Kept == 0 {
		c.report.Reason = nil
	}
	return c.report, nil
}

// deliver sends one file of another process, if it has no owner any more, and returns how many events it keeps and why.
func (c *courier) deliver(ctx context.Context, path string) (kept int, err error) {
	f, content, err := claim(path)
	if errors.Is(err, errOwned) {
		return 0, nil // whoever owns it sends it
	}
	if err != nil {
		c.o.Log.Warn("a spool file can not be taken over", "file", filepath.Base(path), "error", err)
		return 0, nil
	}
	if content.damaged > 0 {
		c.o.Log.Warn("lines of a spool file are damaged and were passed over",
			"file", filepath.Base(path), "lines", content.damaged)
	}
	box := outbox{file: f, pending: content.events, stored: len(content.events)}
	for len(box.pending) > 0 && err == nil {
		var n int
		n, err = c.step(ctx, box.pending[:min(batchSize, len(box.pending))], box.aside)
		if n > 0 {
			box.dealt(n, c.o.Log)
		}
	}
	if failed := f.release(len(box.pending) == 0); failed != nil {
		c.o.Log.Warn("the spool could not be tidied", "error", failed)
	}
	return len(box.pending), err
}

// Waiting is one file of a spool.
type Waiting struct {
	Path        string
	Destination string
	Since       time.Time // when it was last written
	Events      int       // not sent yet
	Damaged     int       // lines that can not be read
	Refused     bool      // holds events that the server can never take, for people to look at
}

// List lists the files of all destinations of a directory. It takes nothing over and changes nothing.
func List(dir string) ([]Waiting, error) {
	var list []Waiting
	for _, pattern := range []string{suffix, suffixRefused} {
		paths, err := filepath.Glob(filepath.Join(dir, "*", "[^.]*"+pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				continue // sent meanwhile
			}
			w := Waiting{Path: path, Since: info.ModTime(), Refused: pattern == suffixRefused}
			if name, err := os.ReadFile(filepath.Join(filepath.Dir(path), "destination")); err == nil {
				w.Destination = strings.TrimSpace(string(name))
			}
			text, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			if w.Refused {
				w.Events = strings.Count(string(text), "\n")
			} else {
				c := parse(text)
				w.Events, w.Damaged = len(c.events), c.damaged
			}
			list = append(list, w)
		}
	}
	return list, nil
}

// count is how many events of a file wait.
func count(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	return len(parse(text).events)
}
