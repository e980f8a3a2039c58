package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/ident"
)

type ranked struct {
	rank  int
	place int32
}

func TestHeapAgreesWithSorting(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	h := heap[*ranked]{
		before: func(a, b *ranked) bool { return a.rank < b.rank },
		place:  func(r *ranked) *int32 { return &r.place },
	}
	var in []*ranked
	for range 20_000 {
		switch random.IntN(5) {
		case 0, 1:
			r := &ranked{rank: random.IntN(1000)}
			h.push(r)
			in = append(in, r)
		case 2:
			if len(in) > 0 {
				at := random.IntN(len(in))
				in[at].rank = random.IntN(1000)
				h.fix(in[at])
			}
		case 3:
			if len(in) > 0 {
				at := random.IntN(len(in))
				h.remove(in[at])
				if in[at].place != -1 {
					t.Fatal("what was removed has a place")
				}
				in = slices.Delete(in, at, at+1)
			}
		case 4:
			if len(in) > 0 {
				least := slices.MinFunc(in, func(a, b *ranked) int { return a.rank - b.rank })
				got := h.pop()
				if got.rank != least.rank {
					t.Fatalf("popped %d, the least is %d", got.rank, least.rank)
				}
				in = slices.DeleteFunc(in, func(r *ranked) bool { return r == got })
			}
		}
		if h.len() != len(in) {
			t.Fatalf("%d items, want %d", h.len(), len(in))
		}
		for i, r := range h.items {
			if int(r.place) != i {
				t.Fatal("an item does not know its place")
			}
		}
	}
	if (&heap[*ranked]{}).top() != nil {
		t.Error("an empty heap has a first item")
	}
}

func TestTailTakesWhatBelongsBefore(t *testing.T) {
	t.Parallel()
	var l tail
	for _, s := range []stub{
		newStub(10, 7, 5, true), newStub(30, 9, 1, false), newStub(20, 0, 9, false), newStub(40, 7, 3, true),
		newStub(50, 7, 6, false), newStub(60, 0, 1, false), newStub(60, 0, 1, false),
	} {
		l.add(s)
	}
	if l.len() != 6 || !l.has(30) || l.has(31) {
		t.Fatalf("tail %+v", l.stubs)
	}
	taken := l.take(2)
	ids := func(list []stub) (all []ident.ID) {
		for _, s := range list {
			all = append(all, s.id)
		}
		return all
	}
	if got := ids(taken); !slices.Equal(got, []ident.ID{10, 20, 40}) {
		t.Errorf("took %d: 40 belongs before 10 in its run", got)
	}
	if !taken[0].repeat() || taken[1].repeat() || taken[0].order() != 5 {
		t.Errorf("stubs %+v", taken)
	}
	if s, ok := l.remove(50); !ok || s.id != 50 || l.has(50) {
		t.Error("50 was not removed")
	}
	if _, ok := l.remove(51); ok {
		t.Error("51 was there")
	}
	if got := ids(l.take(10)); !slices.Equal(got, []ident.ID{30, 60}) || l.len() != 0 {
		t.Errorf("the rest is %d", got)
	}
}

func TestChainKeepsSequence(t *testing.T) {
	t.Parallel()
	c := &chain{}
	add := func(sequence int64) (*entry, *entry) {
		e := &entry{id: ident.ID(sequence), sequence: sequence}
		return e, c.add(e)
	}
	five, displaced := add(5)
	if displaced != nil || !c.admits(five) || !c.endsBefore(5) || c.endsBefore(4) {
		t.Error("the first entry")
	}
	three, displaced := add(3)
	if displaced != five || c.admits(five) || !c.admits(three) || !c.holds(5) || c.holds(4) {
		t.Error("an earlier entry did not become the head")
	}
	if _, displaced = add(4); displaced != nil {
		t.Error("an entry in the middle displaced the head")
	}
	c.active = three
	if c.admits(three) {
		t.Error("two may be in flight")
	}
	c.remove(three)
	if c.head().sequence != 4 {
		t.Errorf("then comes %d", c.head().sequence)
	}
	if (chainKey{}).brief() != 0 || (chainKey{1, 2}).brief() == 0 || (chainKey{1, 2}).brief() == (chainKey{2, 1}).brief() {
		t.Error("brief keys")
	}
}

func TestCacheForgetsWhatWasNotUsed(t *testing.T) {
	t.Parallel()
	c := newLRU[int, string](10)
	c.put(1, "a", 4)
	c.put(2, "b", 4)
	if _, ok := c.get(1); !ok {
		t.Error("1 is gone")
	}
	c.put(3, "c", 4)
	if _, ok := c.get(2); ok {
		t.Error("the cache holds more than it may")
	}
	if got := c.put(1, "other", 1); got != "a" {
		t.Errorf("the first value was replaced by %q", got)
	}
	c.drop(1)
	c.drop(99)
	if _, ok := c.get(1); ok || c.weight != 4 {
		t.Errorf("1 is there, weight %d", c.weight)
	}
	c.put(4, "larger than all", 100)
	if _, ok := c.get(4); !ok || c.order.Len() != 1 {
		t.Error("what was put last is not there alone")
	}
}

func TestCircuit(t *testing.T) {
	t.Parallel()
	var c circuit
	second := int64(time.Second)
	for i := range failingAfter - 1 {
		c.fail(int64(i)*second, false)
		if c.condition() != Degraded || c.opensAt(false) != 0 {
			t.Fatalf("after %d failures: %+v", i+1, c)
		}
	}
	c.fail(10*second, false)
	if c.condition() != Failing || c.opensAt(false) != 12*second || c.opensAt(true) != 0 || c.since != 0 {
		t.Errorf("failing: %+v", c)
	}
	c.fail(11*second, false) // was in flight still
	if c.probeWait != firstProbe || c.probeAt != 13*second {
		t.Errorf("what was in flight made the probes rarer: %+v", c)
	}
	for range 20 {
		c.fail(100*second, true)
	}
	if c.probeWait != lastProbe {
		t.Errorf("probes %v apart", c.probeWait)
	}
	c.hold(100*second, time.Hour)
	if c.opensAt(true) != 160*second {
		t.Errorf("held until %d", c.opensAt(true)/second)
	}
	c.reset()
	if c.condition() != Healthy || c.opensAt(false) != 0 {
		t.Errorf("after a success: %+v", c)
	}
}

// TestStandardHeaders uses the vector of the Standard Webhooks specification.
func TestStandardHeaders(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	msg := &delivery.Message{Body: []byte(`{"test": 2432232314}`)}
	at := time.Unix(1614265330, 0)
	standardHeaders(msg, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []string{secret, "not base64 behind whsec_"})
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	got := msg.Get(dialect.HeaderStandardSignature)
	if got[:len(want)] != want || got[len(want)] != ' ' || len(got) != 2*len(want)+1 {
		t.Errorf("signature %q", got)
	}
	if msg.Get(dialect.HeaderStandardID) != "msg_p5jXN8AQM9LWM0D4loKWxJek" || msg.Get(dialect.HeaderStandardTimestamp) != "1614265330" {
		t.Errorf("headers %v", msg.Header)
	}
	for secret, key := range map[string]string{"whsec_YWJj": "abc", "whsec_YWI": "ab", "whsec_!": "whsec_!", "plain": "plain"} {
		if got := string(standardKey(secret)); got != key {
			t.Errorf("the key of %q is %q", secret, got)
		}
	}
}

// TestHeldHeaders: where a message holds a name the subscription's own header does not replace it.
func TestHeldHeaders(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{}
	msg := &delivery.Message{URL: "https://a.test", Held: []string{"X-Kind"}}
	msg.Set("User-Agent", "a")
	msg.Set("X-Kind", "the message's")
	d.address(msg, &opened{headers: []delivery.HeaderField{{Name: "x-kind", Value: "the subscription's"}, {Name: "user-agent", Value: "b"}}})
	if msg.Get("X-Kind") != "the message's" || msg.Get("User-Agent") != "b" || len(msg.Header) != 2 {
		t.Errorf("headers %v", msg.Header)
	}
}

func TestRingIsAQueue(t *testing.T) {
	t.Parallel()
	var r ring
	next, out := 0, 0
	lanes := map[*lane]int{}
	for round := range 500 {
		for range round % 7 {
			l := &lane{}
			lanes[l] = next
			next++
			r.push(l)
		}
		for range min(r.len(), round%6) {
			if l := r.pop(); lanes[l] != out {
				t.Fatalf("lane %d came in place %d", lanes[l], out)
			}
			out++
		}
		if r.len() != next-out {
			t.Fatalf("%d lanes, want %d", r.len(), next-out)
		}
	}
}
