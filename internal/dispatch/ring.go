package dispatch

// ring is the wheel of lanes that may start something: each gets one turn, then goes behind the others, so that no lane
// waits longer because another one has more to do.
type ring struct {
	lanes []*lane
	head  int
}

func (r *ring) len() int { return len(r.lanes) - r.head }

func (r *ring) push(l *lane) {
	if r.head > 64 && r.head > len(r.lanes)/2 {
		n := copy(r.lanes, r.lanes[r.head:])
		clear(r.lanes[n:])
		r.lanes, r.head = r.lanes[:n], 0
	}
	r.lanes = append(r.lanes, l)
}

func (r *ring) pop() *lane {
	l := r.lanes[r.head]
	r.lanes[r.head] = nil
	r.head++
	return l
}
