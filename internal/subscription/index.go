package subscription

import (
	"cmp"
	"slices"
	"sync"

	"carillon/internal/ident"
)

// Match is one subscription that gets one notice. Notice is the notice's position in what the dialect returned.
type Match struct {
	Subscription *Subscription
	Notice       int
}

// Index holds the current version of every subscription in memory and finds those that an event reaches without looking
// at the others. Its zero value is empty and ready; it is safe for concurrent use. The subscriptions it returns are
// shared: nobody may change them.
type Index struct {
	mu    sync.RWMutex
	byID  map[ident.ID]*Subscription
	lists map[indexKey][]*Subscription

	// dialects counts the enabled subscriptions of each place by dialect, so that an event's notices are made only for
	// dialects that somebody there speaks.
	dialects map[Scope]map[string]int
}

// indexKey is a list of the index: who, at one place and in one dialect, named one trigger. The trigger "" lists those
// that take everything.
type indexKey struct {
	scope   Scope
	dialect string
	trigger string
}

// Get returns the current version of a subscription, nil if there is none.
func (x *Index) Get(id ident.ID) *Subscription {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.byID[id]
}

// Len returns how many subscriptions the index holds, enabled or not.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byID)
}

// Put adds a subscription or replaces its older version. An older version than the one held is ignored, so that change
// notices may arrive late.
func (x *Index) Put(s *Subscription) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byID == nil {
		x.byID = make(map[ident.ID]*Subscription)
		x.lists = make(map[indexKey][]*Subscription)
		x.dialects = make(map[Scope]map[string]int)
	}
	if old := x.byID[s.ID]; old != nil {
		if old.Version > s.Version {
			return
		}
		x.unlist(old)
	}
	x.byID[s.ID] = s
	x.list(s)
}

// Delete removes a subscription.
func (x *Index) Delete(id ident.ID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.byID[id]; old != nil {
		x.unlist(old)
		delete(x.byID, id)
	}
}

// Dialects returns the dialects in which somebody listens to one of the places, sorted.
func (x *Index) Dialects(places []Scope) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var names []string
	for _, place := range places {
		for name := range x.dialects[place] {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Match returns who gets which of a dialect's notices, each subscription at most once per notice, in the order of
// notice, then subscription.
func (x *Index) Match(dialect string, notices []Notice, places []Scope) []Match {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var found []Match
	for i, notice := range notices {
		start := len(found)
		for _, place := range places {
			if !notice.OpenTo(place.Level) {
				continue
			}
			if !notice.Unlisted {
				found = x.collect(found, i, indexKey{place, dialect, ""})
			}
			for _, trigger := range notice.Triggers {
				found = x.collect(found, i, indexKey{place, dialect, trigger})
			}
		}
		slices.SortFunc(found[start:], func(a, b Match) int { return cmp.Compare(a.Subscription.ID, b.Subscription.ID) })
		found = append(found[:start], slices.CompactFunc(found[start:], sameSubscription)...)
	}
	return found
}

// All returns every subscription that keep accepts, in the order of their IDs.
func (x *Index) All(keep func(*Subscription) bool) []*Subscription {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var all []*Subscription
	for _, s := range x.byID {
		if keep(s) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *Subscription) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func sameSubscription(a, b Match) bool { return a.Subscription.ID == b.Subscription.ID }

func (x *Index) collect(found []Match, notice int, key indexKey) []Match {
	for _, s := range x.lists[key] {
		found = append(found, Match{s, notice})
	}
	return found
}

func (x *Index) list(s *Subscription) {
	if !s.Enabled {
		return
	}
	for _, key := range keysOf(s) {
		x.lists[key] = append(x.lists[key], s)
	}
	for _, scope := range s.Scopes {
		if x.dialects[scope] == nil {
			x.dialects[scope] = make(map[string]int)
		}
		x.dialects[scope][s.Dialect]++
	}
}

func (x *Index) unlist(s *Subscription) {
	if !s.Enabled {
		return
	}
	for _, key := range keysOf(s) {
		rest := slices.DeleteFunc(slices.Clone(x.lists[key]), func(o *Subscription) bool { return o.ID == s.ID })
		if len(rest) == 0 {
			delete(x.lists, key)
		} else {
			x.lists[key] = rest
		}
	}
	for _, scope := range s.Scopes {
		if x.dialects[scope][s.Dialect]--; x.dialects[scope][s.Dialect] <= 0 {
			delete(x.dialects[scope], s.Dialect)
		}
		if len(x.dialects[scope]) == 0 {
			delete(x.dialects, scope)
		}
	}
}

// keysOf lists where a subscription stands in the index.
func keysOf(s *Subscription) []indexKey {
	var keys []indexKey
	for _, scope := range s.Scopes {
		if s.All {
			keys = append(keys, indexKey{scope, s.Dialect, ""})
		}
		for _, trigger := range s.Triggers {
			keys = append(keys, indexKey{scope, s.Dialect, trigger})
		}
	}
	return keys
}
