// Package spool keeps events on disk while the server that should take them is away.
//
// An event is on disk before anything else happens to it. A background goroutine sends what is there, in order, and tries
// again with growing pauses; what is not sent by the end stays for the next process, which finds it and sends it first
// come, first served. Several processes share a directory: each file has one owner at a time, by a lock that ends with
// the process. Sending twice is harmless, for every event carries a key; losing one is not, so a file is removed only
// after everything in it was taken or refused.
//
// The package knows no server: it gives batches to a Sender and judges its errors. It never makes its caller fail.
package spool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"carillon/internal/event"
)

const (
	waitDefault    = 5 * time.Second
	attemptDefault = 10 * time.Second

	// batchSize bounds how many events are sent at once.
	batchSize = 100
)

// Sender brings events to the server, all of a call or none. Its error decides what becomes of them, by its fault.Code:
// what can never be accepted (malformed, invalid, too large, conflicting) is set aside; what depends on rights or on an
// organization that is not there stays for a later process; anything else is tried again.
type Sender interface {
	Send(ctx context.Context, events []event.Event) error
}

// Options says where events are kept and who sends them.
type Options struct {
	// Dir is the directory of all spools of this user; see DefaultDir.
	Dir string

	// Destination names the server, its address say. Events of one are never sent to another.
	Destination string

	Sender  Sender        // nil: events are only kept
	Wait    time.Duration // how long Close waits for the server; 0: five seconds; negative: not at all
	Attempt time.Duration // how long one call of the Sender may take; 0: ten seconds
	Log     *slog.Logger  // nil: silent
}

func (o Options) withDefaults() Options {
	if o.Wait == 0 {
		o.Wait = waitDefault
	}
	if o.Attempt == 0 {
		o.Attempt = attemptDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// DefaultDir is where a user's spools lie: CARILLON_SPOOL, else carillon/spool in the state directory.
func DefaultDir(getenv func(string) string) string {
	if dir := getenv("CARILLON_SPOOL"); dir != "" {
		return dir
	}
	if state := getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "carillon", "spool")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", "carillon", "spool")
	}
	return filepath.Join(os.TempDir(), "carillon-spool-"+strconv.Itoa(os.Getuid()))
}

// directory is the part of the spool that belongs to one destination.
func (o Options) directory() string {
	sum := sha256.Sum256([]byte(o.Destination))
	return filepath.Join(o.Dir, hex.EncodeToString(sum[:8]))
}

// makeDirectory creates the directory, readable by the user alone, with a file that tells people which destination it is
// for.
func (o Options) makeDirectory() (string, error) {
	dir := o.directory()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the spool directory: %w", err)
	}
	note := filepath.Join(dir, "destination")
	if _, err := os.Stat(note); err != nil {
		if err := os.WriteFile(note, []byte(o.Destination+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("name the spool's destination: %w", err)
		}
	}
	return dir, nil
}

// Report is what became of the events of a spool.
type Report struct {
	Sent    int   // taken by the server
	Refused int   // can never be taken; set aside in a file of their own
	Kept    int   // still waiting, of all files that nobody else is sending
	Reason  error // why the last attempt failed, nil when nothing is kept
}
