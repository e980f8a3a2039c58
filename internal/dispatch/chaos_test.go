package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// TestChaos lets receivers fail and hang, the store fail, nodes die, leave and come at random, while events are accepted
// everywhere. Whatever happens: nothing is lost, the order of each run holds, the books balance, what is sent a second
// time is marked, and memory is empty in the end.
func TestChaos(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) { newChaos(w, seed).run() })
		})
	}
}

type chaos struct {
	*world
	random *rand.Rand
	subs   []*subscription.Subscription
	alive  []*node
	owed   []delivery.Delivery

	lock     sync.Mutex
	answered map[string]int // successes by receiver and body
	position map[string]int // the place of the first of them among all
	calm     bool
}

func newChaos(w *world, seed uint64) *chaos {
	c := &chaos{world: w, random: rand.New(rand.NewPCG(seed, 1)), answered: map[string]int{}, position: map[string]int{}}
	for i := range 12 {
		c.subs = append(c.subs, w.subscribe(fmt.Sprintf("https://%d.test/", i), nil, func(s *subscription.Subscription) {
			s.Delivery.Concurrency = 1 + i%5
			if i%4 == 3 {
				s.Delivery.Unordered = true
			}
		}))
	}
	w.dialect.policy.Tail = 30 * time.Second
	w.wire.answer = c.answer
	w.store.trouble = func(operation string, _ int) error {
		if c.chance(0.03) {
			return errors.New("no luck in " + operation)
		}
		return nil
	}
	return c
}

// chance draws from the one source of randomness.
func (c *chaos) chance(p float64) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return !c.calm && c.random.Float64() < p
}

func (c *chaos) number(n int) int {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) answer(ctx context.Context, msg *delivery.Message) delivery.Result {
	var r delivery.Result
	switch {
	case strings.Contains(msg.URL, "/0.test") && c.chance(0.8), c.chance(0.1):
		r = status(500)
	case c.chance(0.05):
		r = hang(10 * time.Second)(ctx)
	default:
		r = slow(time.Duration(c.number(40)) * time.Millisecond)(ctx)
	}
	if r.OK() {
		c.lock.Lock()
		key := msg.URL + string(msg.Body)
		if c.answered[key]++; c.answered[key] == 1 {
			c.position[key] = len(c.position)
		}
		c.lock.Unlock()
	}
	return r
}

func (c *chaos) run() {
	c.node()
	for range 400 {
		c.step()
		time.Sleep(time.Duration(c.number(80)) * time.Millisecond)
	}
	c.lock.Lock()
	c.calm = true
	c.lock.Unlock()
	c.pass(2 * time.Hour)
	c.check()
}

// node starts a node, in spite of the store.
func (c *chaos) node() {
	for {
		n := c.prepare()
		if err := n.Start(context.Background()); err == nil {
			c.alive = append(c.alive, n)
			return
		}
		n.leave()
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *chaos) step() {
	switch draw := c.number(100); {
	case draw < 2 && len(c.alive) < 3:
		c.node()
	case draw < 4 && len(c.alive) > 1:
		at := c.number(len(c.alive))
		n := c.alive[at]
		c.alive = slices.Delete(c.alive, at, at+1)
		if c.chance(0.5) {
			number, _ := n.Owner()
			n.kill(number)
		} else {
			n.leave()
		}
	default:
		c.accept()
	}
}

// leave ends a node softly; that the store has no luck is not its fault.
func (n *node) leave() {
	n.dead = true
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = n.Stop(ctx)
	_ = n.committer.Stop(ctx)
}

// accept takes an event in on some node.
func (c *chaos) accept() {
	n := c.alive[c.number(len(c.alive))]
	e := c.event(ident.ID(1 + c.number(25)))
	var to []*subscription.Subscription
	for range 1 + c.number(3) {
		if s := c.subs[c.number(len(c.subs))]; !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	owed := c.owe(e, to...)
	number, _ := n.Owner()
	c.store.mu.Lock()
	trouble := c.store.trouble
	c.store.trouble = nil
	c.store.mu.Unlock()
	c.put(e, owed, number)
	c.store.mu.Lock()
	c.store.trouble = trouble
	c.store.mu.Unlock()
	n.Offer(e, owed)
	c.owed = append(c.owed, owed...)
}

func (c *chaos) check() {
	if pending := c.store.pending(); pending != 0 {
		c.Errorf("%d of %d deliveries are pending", pending, len(c.owed))
	}
	c.balanced()
	for _, n := range c.alive {
		if rows, owed := dispatch.Rows(n.Dispatcher); rows != 0 || owed != 0 {
			c.Errorf("a node holds %d rows and owes %d", rows, owed)
		}
	}
	for _, d := range c.owed {
		history := c.store.history(d.ID)
		if len(history) == 0 || history[len(history)-1].State != delivery.Delivered {
			c.Errorf("%v is not delivered\n%s", d.ID, c.story(d))
			return
		}
		marked := slices.ContainsFunc(history, func(a delivery.Attempt) bool { return a.Repeat })
		if times := c.answered[c.index.Get(d.Subscription).Name+said(d)]; times == 0 || (times > 1 && !marked) {
			c.Errorf("delivery %v arrived %d times, marked as a repeat: %v\n%s", d.ID, times, marked, c.story(d))
		}
	}
	c.checkOrder()
}

// checkOrder checks that the first arrivals of each ordered run are in sequence.
func (c *chaos) checkOrder() {
	last := map[string]delivery.Delivery{}
	for _, d := range c.owed {
		if d.Unordered {
			continue
		}
		s := c.index.Get(d.Subscription)
		key := fmt.Sprint(d.Subscription, d.Run)
		if before, ok := last[key]; ok && c.position[s.Name+said(before)] > c.position[s.Name+said(d)] {
			c.Errorf("to %s, run %v: sequence %d came before %d\n%s%s", s.Name, d.Run, d.Sequence, before.Sequence, c.story(before), c.story(d))
		}
		last[key] = d
	}
}

// story tells what happened to a delivery.
func (c *chaos) story(d delivery.Delivery) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\t%v to shard %d, run %v sequence %d, due %v\n", d.ID, d.Shard(), d.Run, d.Sequence, d.Due.Format(clock))
	for _, s := range c.wire.to(c.index.Get(d.Subscription).Name) {
		if s.body == said(d) {
			fmt.Fprintf(&b, "\t\tsent %v to %v\n", s.from.Format(clock), s.to.Format(clock))
		}
	}
	for _, a := range c.store.history(d.ID) {
		fmt.Fprintf(&b, "\t\tnode %d, number %d of %v: %v, repeat %v\n", a.Node, a.Number, a.Result.StartedAt.Format(clock), a.State, a.Repeat)
	}
	return b.String()
}

const clock = "04:05.000"
