package httpapi

import (
	"net/http"

	"carillon/internal/fault"
)

// testSubscription sends what the subscription would send for a sample or a given event: one attempt, now, recorded.
func (a *api) testSubscription(c *call) error {
	of, err := a.subjectOfPath(c)
	if err != nil {
		return err
	}
	d, err := a.optional(c)
	if err != nil {
		return err
	}
	e, places, err := a.eventFor(c, &d, of)
	if err != nil {
		return err
	}
	spoken := a.dialects[of.s.Dialect]
	notices := spoken.Notices(e)
	if len(notices) == 0 {
		return fault.New(fault.Unsupported, "The dialect %s has nothing to say of this event; choose another one.", of.s.Dialect)
	}
	position := firstWanted(&of.s, notices, places)
	in, err := a.input(c, e, position, notices[position], of)
	if err != nil {
		return err
	}
	msg, err := spoken.Render(in)
	if err != nil {
		return err
	}
	attempt, err := a.Services.Subscriptions.Send(c.r.Context(), c.p, of.s.ID, msg)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, viewAttempt(&attempt, whole))
}
