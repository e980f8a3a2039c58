package spacelift

import (
	"sync"

	"carillon/internal/ident"
)

// locks hold one account's mutations apart from each other.
type locks struct {
	mu   sync.Mutex
	byID map[ident.ID]*held
}

// held is a lock and how many want it; it is forgotten when nobody does.
type held struct {
	mu     sync.Mutex
	wanted int
}

func newLocks() *locks { return &locks{byID: make(map[ident.ID]*held)} }

// lock locks an account and returns what unlocks it.
func (l *locks) lock(id ident.ID) (unlock func()) {
	l.mu.Lock()
	h := l.byID[id]
	if h == nil {
		h = &held{}
		l.byID[id] = h
	}
	h.wanted++
	l.mu.Unlock()
	h.mu.Lock()
	return func() {
		h.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.wanted--; h.wanted == 0 {
			delete(l.byID, id)
		}
	}
}
