package dispatch

// Beginning and end of the ownership of shards, with the scheduler's memory of them.

import (
	"carillon/internal/ident"
)

// own begins an epoch of a shard. Destinations that something is remembered of get their lanes at once, to be seen.
func (s *scheduler) own(number int, epoch int64, unclean bool, known []ident.ID, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home := &s.shards[number]
	if home.held {
		s.drop(home)
	}
	home.own(epoch, unclean, now)
	home.heldAt = s.ticks()
	for _, destination := range known {
		s.lane(home, destination)
	}
}

// eachLane calls f for every lane, with the scheduler locked for one shard at a time.
func (s *scheduler) eachLane(f func(*lane)) {
	for i := range s.shards {
		s.inShard(i, f)
	}
}

func (s *scheduler) inShard(number int, f func(*lane)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.shards[number].lanes {
		f(l)
	}
}

// drop forgets everything of a shard that is not ours any more. What is in flight goes on, and is not recorded.
func (s *scheduler) drop(home *shard) {
	for _, l := range home.lanes {
		l.dropped = true
		s.unwake(l)
		s.rows -= l.rows
		s.owed -= l.owed
	}
	home.held, home.draining, home.scanning = false, false, false
	home.lanes, home.finished, home.deferred, home.recent = nil, nil, deferrals{}, nil
}

// dropAll forgets every shard, because the lease has ended, and returns how many there were.
func (s *scheduler) dropAll() (dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.shards {
		if s.shards[i].held {
			s.drop(&s.shards[i])
			dropped++
		}
	}
	return dropped
}

// dropThese forgets some shards.
func (s *scheduler) dropThese(numbers []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range numbers {
		if s.shards[number].held {
			s.drop(&s.shards[number])
		}
	}
}

// beginDrain stops new attempts of a shard that is to be released.
func (s *scheduler) beginDrain(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if home := &s.shards[number]; home.held {
		home.draining = true
		s.checkDrained(home)
	}
}

// drained drops the shards that were to be released and are at rest, and returns them. One that turned out not to be in
// order is kept.
func (s *scheduler) drained(now int64) (clean []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.shards {
		home := &s.shards[i]
		switch {
		case !home.held || !home.draining || !home.idle():
		case home.resolved():
			home.gone = home.epoch
			clean = append(clean, i)
			s.drop(home)
		default:
			home.draining = false
			for _, l := range home.lanes {
				s.touch(l, now)
			}
		}
	}
	s.pump(now)
	return clean
}
