package dispatch

import (
	"math"
	"slices"
	"time"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// defaultConcurrency is how many requests a destination gets at a time.
const defaultConcurrency = 4

// profile is what a lane knows of one of its subscriptions.
type profile struct {
	version   int64 // 0 while the subscription is unknown
	enabled   bool
	limits    subscription.Delivery
	span      time.Duration // within which its deliveries are meant to end
	failing   time.Duration // after so long without a success it is switched off; 0 never
	setting   [3]string     // what a change of which forgives: destination, secret, headers
	ended     int           // deliveries in a row that ended badly
	switching bool          // it is being switched off
}

// profile returns what the lane knows of a subscription, learning anew what changed.
func (l *lane) profile(id ident.ID) *profile {
	current := l.home.index.Get(id)
	p := l.profiles[id]
	if p != nil && (current == nil || current.Version == p.version) {
		return p
	}
	if p == nil {
		p = &profile{span: math.MaxInt64}
		if l.profiles == nil {
			l.profiles = make(map[ident.ID]*profile, 1)
		}
		l.profiles[id] = p
	}
	if current != nil {
		l.learn(p, current)
	}
	return p
}

// learn takes a version of a subscription in. A subscription that is switched on again, or whose address, secret or
// headers changed, starts with a clean slate.
func (l *lane) learn(p *profile, s *subscription.Subscription) {
	policy := l.home.policy(s)
	setting := [3]string{s.Destination.String(), string(s.Secret), headerText(s)}
	if p.version != 0 && (p.setting != setting || p.enabled != s.Enabled) {
		p.ended, p.switching = 0, false
		if s.Enabled {
			l.circuit.probeAt = 0
			if !p.enabled {
				l.circuit.reset()
			}
		}
	}
	p.version, p.enabled, p.limits, p.setting = s.Version, s.Enabled, s.Delivery, setting
	p.span, p.failing = policy.Span(), policy.DisableAfterFailing
	l.limit()
}

func headerText(s *subscription.Subscription) string {
	var text []byte
	for _, h := range s.Headers {
		text = append(append(append(append(text, h.Name...), 0), h.Value...), 0)
	}
	return string(text)
}

// limit applies the strictest limits of the lane's subscriptions.
func (l *lane) limit() {
	concurrency, perSecond := 0, 0.0
	for _, p := range l.profiles {
		if n := p.limits.Concurrency; n > 0 && (concurrency == 0 || n < concurrency) {
			concurrency = n
		}
		if r := p.limits.PerSecond; r > 0 && (perSecond == 0 || r < perSecond) {
			perSecond = r
		}
	}
	if concurrency == 0 {
		concurrency = defaultConcurrency
	}
	l.concurrency, l.interval = concurrency, 0
	if perSecond > 0 {
		l.interval = int64(float64(time.Second) / perSecond)
	}
}

// off reports whether every subscription that the lane knows is switched off.
func (l *lane) off() bool {
	for _, p := range l.profiles {
		if p.enabled || p.version == 0 {
			return false
		}
	}
	return len(l.profiles) > 0
}

// subscriptions lists the lane's subscriptions, sorted.
func (l *lane) subscriptions() []ident.ID {
	ids := make([]ident.ID, 0, len(l.profiles))
	for id := range l.profiles {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// overdue reports whether a delivery has been owed for longer than its subscription's policy means it to be.
func (l *lane) overdue(e *entry, now int64) bool {
	p := l.profiles[e.row.Subscription]
	return p != nil && now-e.id.Time().UnixNano() > int64(p.span)
}
