package cli

import "testing"

func TestGarbagePercent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		live uint64
		want int
	}{
		{"nothing was collected yet", 0, 800},
		{"a server that has just started", 4 << 20, 800},
		{"a small server", 32 << 20, 300},
		{"half of the size", 64 << 20, 100},
		{"a backlog", 96 << 20, 50},
		{"a large backlog", 1 << 30, 50},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := garbagePercent(test.live); got != test.want {
				t.Errorf("garbagePercent(%d) = %d, want %d", test.live, got, test.want)
			}
		})
	}
}

func TestSmallDifferencesChangeNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b int
		want bool
	}{{100, 100, false}, {105, 100, false}, {95, 100, false}, {120, 100, true}, {80, 100, true}} {
		if got := differs(test.a, test.b); got != test.want {
			t.Errorf("differs(%d, %d) = %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
