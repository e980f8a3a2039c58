package ingest

import (
	"context"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// Explanation says of one subscription whether an event reaches it, and why.
type Explanation struct {
	Subscription *subscription.Subscription
	Verdict      subscription.Verdict // Matches when any notice does, else what stopped the notice that came furthest
	Notices      []Judged             // of the subscription's dialect; none when it has nothing to say
}

// Judged is the verdict on one notice.
type Judged struct {
	Position int // among the dialect's notices
	Notice   subscription.Notice
	Verdict  subscription.Verdict
}

// Placer is a Registrar that can also say where an event stands without making anything known.
type Placer interface {
	Places(ctx context.Context, e *event.Event) ([]subscription.Scope, error)
}

// Explain judges every subscription of the event's organization, in the order of their IDs. The event carries its
// identifiers, as a stored one does. Nothing is stored or made known.
func (i *Ingest) Explain(ctx context.Context, e *event.Event) ([]Explanation, error) {
	places := subscription.Places(e)
	if placer, ok := i.registrar.(Placer); ok {
		var err error
		if places, err = placer.Places(ctx, e); err != nil {
			return nil, err
		}
	}
	said := make(map[string]opinion)
	ofOrganization := i.index.All(func(s *subscription.Subscription) bool { return s.OrganizationID == e.Organization.ID })
	explanations := make([]Explanation, 0, len(ofOrganization))
	for _, s := range ofOrganization {
		about, ok := said[s.Dialect]
		if !ok {
			about = i.opinionOf(s.Dialect, e)
			said[s.Dialect] = about
		}
		explanations = append(explanations, about.judge(s, places))
	}
	return explanations, nil
}

// opinion is what a dialect has to say of an event.
type opinion struct {
	notices    []subscription.Notice
	suppressed bool
}

func (i *Ingest) opinionOf(name string, e *event.Event) opinion {
	d := i.dialects[name]
	if d == nil || e.Kind == event.KindTest {
		return opinion{}
	}
	return opinion{notices: d.Notices(e), suppressed: suppresses(d, e)}
}

func (o opinion) judge(s *subscription.Subscription, places []subscription.Scope) Explanation {
	x := Explanation{Subscription: s}
	for n, notice := range o.notices {
		verdict := subscription.Judge(s, notice, places)
		if verdict == subscription.Matches && o.suppressed {
			verdict = subscription.Suppressed
		}
		x.Notices = append(x.Notices, Judged{n, notice, verdict})
		if x.Verdict == "" || furtherThan(verdict, x.Verdict) {
			x.Verdict = verdict
		}
	}
	if len(o.notices) == 0 {
		x.Verdict = subscription.NothingToSay
		// A notice that is open to everybody tells whether the subscription would hear of this place at all.
		if v := subscription.Judge(s, subscription.Notice{}, places); v == subscription.Disabled || v == subscription.OtherScope {
			x.Verdict = v
		}
	}
	return x
}

// course is how far an event can come on its way to a subscription.
var course = []subscription.Verdict{
	subscription.Disabled, subscription.OtherScope, subscription.NothingToSay, subscription.WrongLevel, subscription.Empty,
	subscription.NotSubscribed, subscription.Suppressed, subscription.Matches,
}

func furtherThan(a, b subscription.Verdict) bool { return position(a) > position(b) }

func position(v subscription.Verdict) int {
	for n, each := range course {
		if each == v {
			return n
		}
	}
	return -1
}
