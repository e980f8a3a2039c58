package dispatch

import (
	"context"
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// keepBalance claims and releases shards as nodes come and go, until the dispatcher halts.
func (d *Dispatcher) keepBalance() {
	for {
		select {
		case <-d.running.Done():
			return
		case seen := <-d.clusters:
			if err := d.balance(d.running, seen); err != nil && d.running.Err() == nil {
				d.deps.Log.Error("balancing shards", "err", err)
			}
		case <-d.draining:
			if err := d.release(d.running); err != nil && d.running.Err() == nil {
				d.deps.Log.Error("releasing shards", "err", err)
			}
		}
	}
}

// balance does what this node owes to an even division of the shards.
func (d *Dispatcher) balance(ctx context.Context, seen sighting) error {
	node, session := d.lease.joined()
	p := d.scheduler.plan(node, seen, d.lease.grants())
	if len(p.lost) > 0 {
		d.lease.disown(p.lost)
		d.scheduler.dropThese(p.lost)
		d.deps.Log.Warn("shards belong to another node now", "shards", len(p.lost))
	}
	if p.joined {
		poke(d.hints.signal) // with other nodes about, what they accept is looked for
	}
	for _, number := range p.surplus {
		d.scheduler.beginDrain(number)
	}
	if len(p.unowned) > 0 {
		if err := d.deps.Store.Release(ctx, node, p.unowned); err != nil {
			return fmt.Errorf("release shards: %w", err)
		}
	}
	if len(p.claims)+len(p.resumed) == 0 {
		return nil
	}
	if err := d.recall(ctx); err != nil {
		d.deps.Log.Error("recalling what is known of destinations", "err", err)
	}
	d.take(session, p.resumed, p)
	if len(p.claims) == 0 {
		return nil
	}
	epochs, err := d.deps.Store.Claim(ctx, node, p.claims)
	if err != nil {
		return fmt.Errorf("claim shards: %w", err)
	}
	d.take(session, epochs, p)
	return nil
}

// take begins to serve shards that are ours now, unless the lease was lost since the session.
func (d *Dispatcher) take(session int, epochs map[int]int64, p plan) {
	if !d.lease.own(session, epochs) {
		return
	}
	for number, epoch := range epochs {
		d.scheduler.own(number, epoch, p.unclean[number], d.notes.inShard(number), d.nano())
		d.tasks.Go(func() { d.scan(number) })
	}
}

// release gives up the shards that were to be released and have come to rest.
func (d *Dispatcher) release(ctx context.Context) error {
	node, _ := d.lease.joined()
	shards := d.scheduler.drained(d.nano())
	if len(shards) == 0 || node < 0 {
		return nil
	}
	d.lease.disown(shards)
	if err := d.deps.Store.Release(ctx, node, shards); err != nil {
		return fmt.Errorf("release shards: %w", err)
	}
	return nil
}

// plan is what one look at the leases asks of this node.
type plan struct {
	lost    []int         // held in memory, and not ours by the store
	surplus []int         // to be released
	claims  map[int]int64 // to be claimed, with the epoch that was seen
	resumed map[int]int64 // ours by the store in an epoch that was granted to this process, but not held any more
	unclean map[int]bool  // of the claims: their last owner did not release them, as far as is known
	unowned []int         // under our number in the store and not ours: to be released
	joined  bool          // this node is not alone any more
}

// plan compares what is held with what should be.
func (s *scheduler) plan(node int, seen sighting, granted map[int]int64) plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	cluster := seen.cluster
	living := livingNodes(node, cluster)
	p := plan{claims: map[int]int64{}, resumed: map[int]int64{}, unclean: map[int]bool{}}
	p.joined = s.others.solo && len(living) > 1
	s.sight(len(living) == 1, int64(seen.at))
	rank, held := slices.Index(living, node), 0
	for i := range s.shards {
		home := &s.shards[i]
		owner, known := cluster.Owners[i]
		switch {
		case home.held && known && int64(seen.at) > home.heldAt && (owner.Node != node || owner.Epoch != home.epoch):
			p.lost = append(p.lost, i)
		case home.held && !home.draining:
			held++
		case !home.held && known && owner.Node == node && home.settling == 0:
			if owner.Epoch == granted[i] {
				p.resumed[i], p.unclean[i] = owner.Epoch, true
				held++
				break
			}
			// Either releasing it failed, or an earlier process left it under our number. Then it is not clean.
			p.unowned = append(p.unowned, i)
			home.suspect = home.suspect || home.gone != owner.Epoch
		}
	}
	want := delivery.Shards / len(living)
	if rank < delivery.Shards%len(living) {
		want++
	}
	for n := range delivery.Shards {
		// Each node begins elsewhere, so that those that take over at the same time seldom want the same.
		number := (rank*delivery.Shards/len(living) + n) % delivery.Shards
		home := &s.shards[number]
		switch {
		case home.held && !home.draining && home.resolved() && held > want:
			p.surplus = append(p.surplus, number)
			held--
		case !home.held && held < want && s.claimable(home, living, cluster, &p):
			held++
		}
	}
	return p
}

// claimable notes a shard as a claim when nobody who lives owns it.
func (s *scheduler) claimable(home *shard, living []int, cluster store.Cluster, p *plan) bool {
	owner, known := cluster.Owners[home.number]
	if !known {
		owner.Node = -1
	}
	if home.settling > 0 || (owner.Node >= 0 && slices.Contains(living, owner.Node)) {
		return false
	}
	p.claims[home.number] = owner.Epoch
	p.unclean[home.number] = !owner.Released || home.suspect
	return true
}

// livingNodes lists the nodes whose lease holds, sorted; this one is among them.
func livingNodes(node int, cluster store.Cluster) []int {
	living := []int{node}
	for _, n := range cluster.Nodes {
		if n.Number != node && n.Expires.After(cluster.Now) {
			living = append(living, n.Number)
		}
	}
	slices.Sort(living)
	return living
}
