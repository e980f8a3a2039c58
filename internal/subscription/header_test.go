package subscription_test

import (
	"slices"
	"testing"

	"carillon/internal/subscription"
)

func TestHeaderKeys(t *testing.T) {
	t.Parallel()
	got := subscription.HeaderKeys([]subscription.Header{{Name: "X-A"}, {Name: "X-B"}, {Name: "x-a"}, {Name: "X-A"}})
	if want := []string{"X-A", "X-B", "x-a 2", "X-A 3"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
