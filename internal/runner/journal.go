package runner

import (
	"iter"
	"sync"
	"time"
)

// journal hands entries from whoever watches the command to whoever tells of it, without ever making the first wait.
type journal struct {
	mu     sync.Mutex
	more   *sync.Cond
	list   []entry
	closed bool
}

// entry is an observation, or the exit as the last one.
type entry struct {
	observation Observation
	exit        *Exit
	at          time.Time
}

func newJournal() *journal {
	j := &journal{}
	j.more = sync.NewCond(&j.mu)
	return j
}

func (j *journal) add(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.list = append(j.list, e)
		j.more.Signal()
	}
}

// close adds the last entry.
func (j *journal) close(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.list, j.closed = append(j.list, e), true
	j.more.Signal()
}

// entries yields the entries in order and ends after the last one.
func (j *journal) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for {
			j.mu.Lock()
			for len(j.list) == 0 && !j.closed {
				j.more.Wait()
			}
			batch, closed := j.list, j.closed
			j.list = nil
			j.mu.Unlock()
			for _, e := range batch {
				if !yield(e) {
					return
				}
			}
			if closed {
				return
			}
		}
	}
}
