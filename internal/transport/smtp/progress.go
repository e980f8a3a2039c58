package smtp

import "sync"

// maxProgress bounds the mails that are remembered; the oldest is forgotten, and its recipients may get it twice.
const maxProgress = 1024

// progress remembers who has accepted a mail that has to be tried again because of others.
type progress struct {
	mu       sync.Mutex
	accepted map[string]map[string]bool // by Message-ID, then recipient
	order    []string                   // Message-IDs, oldest first
}

func (p *progress) has(messageID, recipient string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted[messageID][recipient]
}

// record notes an attempt. Only one that leaves something to do, for some but not for all, is remembered.
func (p *progress) record(messageID string, done *report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	unfinished := done.putOff > 0 || done.broken != nil
	switch known := p.accepted[messageID] != nil; {
	case messageID == "" || (!known && (!unfinished || len(done.accepted) == 0)):
		return
	case !unfinished:
		delete(p.accepted, messageID) // its place in order passes by itself
		return
	case !known:
		p.makeRoom()
		p.accepted[messageID] = map[string]bool{}
		p.order = append(p.order, messageID)
	}
	for _, recipient := range done.accepted {
		p.accepted[messageID][recipient] = true
	}
}

// makeRoom forgets the oldest when there are too many.
func (p *progress) makeRoom() {
	if p.accepted == nil {
		p.accepted = map[string]map[string]bool{}
	}
	for len(p.order) >= maxProgress {
		delete(p.accepted, p.order[0])
		p.order = p.order[1:]
	}
}
