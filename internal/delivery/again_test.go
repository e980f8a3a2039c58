package delivery_test

import (
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func TestAgain(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 11, 22, 4, 26, 0, 0, time.UTC)
	original := delivery.Delivery{
		ID: 10, Event: 9, Organization: 1, Subscription: 2, Version: 3, Destination: 4, Notice: 1, Run: 5, Sequence: 6, Attempts: 7,
		Due: due.Add(-time.Hour), Cause: delivery.CauseEvent, Pinned: true, Unordered: true,
	}
	moved := &subscription.Subscription{ID: 2, Version: 8, Destination: 40}
	again := original.Again(20, delivery.CauseReplay, moved, due, false)
	want := delivery.Delivery{
		ID: 20, Event: 9, Organization: 1, Subscription: 2, Version: 3, Destination: 40, Notice: 1, Run: 5, Sequence: 6,
		Due: due, Cause: delivery.CauseReplay, Origin: 10,
	}
	if again != want {
		t.Errorf("got  %+v\nwant %+v", again, want)
	}
	twice := again.Again(30, delivery.CauseRedelivery, moved, due, true)
	if twice.Origin != ident.ID(10) || !twice.Unordered || twice.Cause != delivery.CauseRedelivery {
		t.Errorf("a repetition of a repetition: %+v", twice)
	}
	if original.ID != 10 || !original.Pinned {
		t.Errorf("the original was changed: %+v", original)
	}
}
