package dispatch

import (
	"slices"

	"carillon/internal/ident"
)

// stub is what a lane keeps of a delivery that is far behind its head: 16 bytes. The run and the sequence are cut to what
// tells whether an earlier delivery of a run stands behind a later one.
type stub struct {
	id       ident.ID
	run      uint32 // chainKey.brief; 0 for a delivery without order
	sequence uint32 // its lowest bits; the highest bit says that the next attempt may repeat an earlier one
}

const (
	repeatBit = 1 << 31

	// lookahead is how far behind what it takes a tail looks for earlier deliveries of the same runs. Identifiers rise with
	// the sequence but for the difference of two nodes' clocks, so that what is out of order is near.
	lookahead = 1024
)

func newStub(id ident.ID, run uint32, sequence int64, repeat bool) stub {
	s := stub{id: id, run: run, sequence: uint32(sequence) &^ repeatBit}
	if repeat {
		s.sequence |= repeatBit
	}
	return s
}

func (s stub) repeat() bool  { return s.sequence&repeatBit != 0 }
func (s stub) order() uint32 { return s.sequence &^ repeatBit }

// tail is the part of a lane that waits in the store, by identifier.
type tail struct{ stubs []stub }

func (t *tail) len() int { return len(t.stubs) }

// find returns where an identifier is or belongs.
func (t *tail) find(id ident.ID) (at int, found bool) {
	return slices.BinarySearchFunc(t.stubs, id, func(s stub, id ident.ID) int {
		switch {
		case s.id < id:
			return -1
		case s.id > id:
			return 1
		}
		return 0
	})
}

func (t *tail) has(id ident.ID) bool {
	_, found := t.find(id)
	return found
}

// add puts a stub into its place, mostly the end.
func (t *tail) add(s stub) {
	if n := len(t.stubs); n == 0 || t.stubs[n-1].id < s.id {
		t.stubs = append(t.stubs, s)
		return
	}
	if at, found := t.find(s.id); !found {
		t.stubs = slices.Insert(t.stubs, at, s)
	}
}

// remove takes an identifier out.
func (t *tail) remove(id ident.ID) (s stub, ok bool) {
	at, found := t.find(id)
	if !found {
		return stub{}, false
	}
	s = t.stubs[at]
	t.stubs = slices.Delete(t.stubs, at, at+1)
	return s, true
}

// take removes the first n stubs, and with them those behind that belong before one of them in its run.
func (t *tail) take(n int) []stub {
	n = min(n, len(t.stubs))
	taken := slices.Clone(t.stubs[:n])
	t.stubs = t.stubs[n:]
	latest := make(map[uint32]uint32)
	var filter [4]uint64 // one bit per run: most lookups end here
	for _, s := range taken {
		if s.run != 0 {
			latest[s.run] = max(latest[s.run], s.order())
			filter[s.run>>6&3] |= 1 << (s.run & 63)
		}
	}
	early := func(s stub) bool {
		return s.run != 0 && filter[s.run>>6&3]&(1<<(s.run&63)) != 0 && s.order() < latest[s.run]
	}
	ahead := t.stubs[:min(lookahead, len(t.stubs))]
	for i := 0; i < len(ahead); i++ {
		if early(ahead[i]) {
			taken = append(taken, ahead[i])
			t.stubs = slices.Delete(t.stubs, i, i+1)
			ahead = t.stubs[:min(lookahead, len(t.stubs))]
			i--
		}
	}
	if len(t.stubs) == 0 {
		t.stubs = nil
	}
	return taken
}
