package postgres

import (
	"math/bits"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// shardSet is a set of shards. There are as many shards as it has bits.
type shardSet uint64

var _ [64 - delivery.Shards]struct{} // does not compile with more shards

func (s *shardSet) add(shard int) { *s |= 1 << shard }

func (s shardSet) len() int { return bits.OnesCount64(uint64(s)) }

// list returns the shards in their order.
func (s shardSet) list() []int {
	shards := make([]int, 0, s.len())
	for ; s != 0; s &= s - 1 {
		shards = append(shards, bits.TrailingZeros64(uint64(s)))
	}
	return shards
}

// fenced returns the shards that the batch records work of, none for a batch that is not fenced. Work of a shard that the
// batch does not claim to own is refused without asking the database.
func fenced(batch *store.Batch) (shards shardSet, err error) {
	if batch.Epochs == nil {
		return 0, nil
	}
	for i := range batch.Attempts {
		shards.add(batch.Attempts[i].Delivery.Shard())
	}
	for i := range batch.Moves {
		shards.add(batch.Moves[i].Shard())
	}
	for _, shard := range shards.list() {
		if _, ok := batch.Epochs[shard]; !ok {
			return 0, store.ErrFenced
		}
	}
	return shards, nil
}

// columns adds the parameters of the fence: the owner, the shards and their epochs.
func (s shardSet) columns(a *arrays, batch *store.Batch) {
	shards := s.list()
	a.int16(batch.Owner)
	a.int16s(len(shards), func(i int) int { return shards[i] })
	a.int64s(len(shards), func(i int) int64 { return batch.Epochs[shards[i]] })
}
