package dispatch

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// clockSkew is how far apart the clocks of two nodes may be. It only widens the set of attempts that are marked as
// possibly repeated after a node died.
const clockSkew = 2 * time.Second

// recentRuns is how many runs a shard remembers, to know that the predecessor of a transition passed through this node.
const recentRuns = 1024

// shard is one part of the queue: what this node knows of it while it owns it.
type shard struct {
	number int

	held      bool
	draining  bool  // no new attempts: it is about to be released
	epoch     int64 // of the lease
	tenure    int64 // counts how often this process began to hold the shard: what began in another tenure does not count
	claimedAt int64
	heldAt    int64 // the same in monotonic time: an older look at the leases does not count

	// unclean says that the owner before did not release the shard: it may have sent what it did not record.
	unclean bool

	// gone is the epoch in which this node gave the shard up in good order; suspect says that a shard that it released for
	// an earlier process is nevertheless unclean.
	gone    int64
	suspect bool

	// tainted says that we ourselves may have sent what is not recorded: the shard must not be released as clean.
	tainted bool

	suspects int // deliveries that may have been sent before, and were not tried since

	scanning bool // the rows that were there when it was taken over are being read

	lanes    map[ident.ID]*lane
	inflight int

	// settling counts what was handed to the committer and is not settled. It outlives the lease: before that is zero the
	// shard is not claimed again, so that nothing of an old epoch is recorded in a new one.
	settling int

	reads    int                   // reads of the queue under way
	finished map[ident.ID]struct{} // what was settled while they are: their rows may be in the answers still

	// early are deliveries that this process committed and that were found in the store before they were offered: when the
	// offer comes they may have ended already. Their value is when they were found.
	early map[ident.ID]int64

	deferred deferrals
	tickets  int64
	recent   *lru[chainKey, int64]
}

// own begins an epoch.
func (s *shard) own(epoch int64, unclean bool, now int64) {
	s.tenure++
	s.held, s.draining, s.epoch, s.claimedAt, s.unclean, s.tainted = true, false, epoch, now, unclean, false
	s.scanning, s.suspect = true, false
	s.lanes = make(map[ident.ID]*lane)
	s.inflight, s.reads, s.suspects, s.deferred = 0, 0, 0, deferrals{}
	s.finished, s.early = make(map[ident.ID]struct{}), make(map[ident.ID]int64)
	s.recent = newLRU[chainKey, int64](recentRuns)
}

// mayRepeat reports whether a row that was there when the shard was taken over may have been sent by the owner before:
// that owner died, and the row was due.
func (s *shard) mayRepeat(row *delivery.Delivery) bool {
	return s.unclean && row.Due.UnixNano() <= s.claimedAt+int64(clockSkew)
}

// idle reports whether nothing of the shard is in flight or being recorded.
func (s *shard) idle() bool { return s.inflight == 0 && s.settling == 0 }

// resolved reports whether nothing is left that an earlier owner may have sent without recording it. Only such a shard may
// be released: who takes it over then marks nothing as a repeat.
func (s *shard) resolved() bool {
	return !s.tainted && s.suspects == 0 && !(s.unclean && s.scanning)
}
