package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"carillon/internal/event"
)

const (
	suffix        = ".events"
	suffixRefused = ".refused"
)

// file is a spool file that this process owns: it holds the file's lock.
type file struct {
	f    *os.File
	path string
	done int // events dealt with, as the file says
}

// create makes a fresh file. Its name sorts by time. Until it is locked it has a name that nobody looks for, so no other
// process can take it for one that was left behind.
func create(dir string, now time.Time) (*file, error) {
	name := now.UTC().Format("20060102T150405.000000Z") + "-" + strings.ToLower(rand.Text()[:8])
	hidden := filepath.Join(dir, "."+name)
	f, err := os.OpenFile(hidden, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a spool file: %w", err)
	}
	if err = lock(f); err == nil {
		err = os.Rename(hidden, filepath.Join(dir, name+suffix))
	}
	if err == nil {
		err = syncDirectory(dir)
	}
	if err != nil {
		_, _ = f.Close(), os.Remove(hidden)
		return nil, fmt.Errorf("make a spool file: %w", err)
	}
	return &file{f: f, path: filepath.Join(dir, name+suffix)}, nil
}

// errOwned is returned for a file that another process owns, or has removed meanwhile.
var errOwned = errors.New("the spool file has an owner")

// claim takes over a file that was left behind and reads it.
func claim(path string) (*file, content, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, content{}, errOwned
	}
	if err != nil {
		return nil, content{}, fmt.Errorf("open a spool file: %w", err)
	}
	c, err := readOwned(f, path)
	if err != nil {
		_ = f.Close()
		return nil, content{}, err
	}
	return &file{f: f, path: path, done: c.done}, c, nil
}

func readOwned(f *os.File, path string) (content, error) {
	if err := lock(f); err != nil {
		return content{}, err
	}
	opened, err := f.Stat()
	if err != nil {
		return content{}, fmt.Errorf("look at a spool file: %w", err)
	}
	if there, err := os.Stat(path); err != nil || !os.SameFile(opened, there) {
		return content{}, errOwned // its owner finished it between our opening and our lock
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return content{}, fmt.Errorf("read a spool file: %w", err)
	}
	c := parse(text)
	if c.torn {
		if _, err := f.WriteString("\n"); err != nil { // so that what is appended is not lost with the torn line
			return content{}, fmt.Errorf("mend a spool file: %w", err)
		}
	}
	return c, nil
}

// add appends an event and returns when it is on disk.
func (s *file) add(e *event.Event) error {
	body, err := event.Encode(e)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	if _, err := s.f.Write(appendRecord(nil, kindEvent, body)); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	if err := s.f.Sync(); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return nil
}

// settle notes that n more events are dealt with. It need not reach the disk: the worst is that they are sent again.
func (s *file) settle(n int) error {
	s.done += n
	if _, err := s.f.Write(appendRecord(nil, kindDone, []byte(strconv.Itoa(s.done)))); err != nil {
		return fmt.Errorf("note what was sent: %w", err)
	}
	return nil
}

// setAside keeps an event that the server can never take in a file beside, for people to look at.
func (s *file) setAside(e *event.Event, reason error) error {
	body, err := event.Encode(e)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	aside, err := os.OpenFile(strings.TrimSuffix(s.path, suffix)+suffixRefused, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("set an event aside: %w", err)
	}
	_, err = fmt.Fprintf(aside, "{\"reason\":%q,\"event\":%s}\n", reason.Error(), body)
	return errors.Join(err, aside.Sync(), aside.Close())
}

// release gives the file up: it is removed when it is empty, else left for whoever comes next.
func (s *file) release(empty bool) error {
	if empty {
		if err := os.Remove(s.path); err != nil {
			return errors.Join(fmt.Errorf("remove a spool file: %w", err), s.f.Close())
		}
	}
	return s.f.Close()
}

// leftovers lists the spool files of a directory, the oldest first.
func leftovers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the spool: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, suffix) && !strings.HasPrefix(name, ".") {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// lock takes the file's lock if nobody has it. It ends when the file is closed, at the latest with the process.
func lock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errOwned
		default:
			return fmt.Errorf("lock a spool file: %w", err)
		}
	}
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
