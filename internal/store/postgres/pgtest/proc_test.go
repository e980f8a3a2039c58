package pgtest

import (
	"os"
	"strings"
	"testing"
	"time"
)

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		line string
		want stat
		fail bool
	}{
		"plain": {
			line: "4711 (postgres) S 17 1 1 0 -1 0 0 0 0 0 150 50 300 25 20 0 1 0 12345",
			want: stat{parent: 17, state: "S", own: 2 * time.Second, waited: 3250 * time.Millisecond},
		},
		"name with brackets and spaces": {
			line: "4711 (a ) S 9 (b) Z 17 1 1 0 -1 0 0 0 0 0 1 0 0 0 20",
			want: stat{parent: 17, state: "Z", own: 10 * time.Millisecond},
		},
		"cut":          {line: "4711 (postgres) S 17 1", fail: true},
		"not a number": {line: "4711 (postgres) S x 1 1 0 -1 0 0 0 0 0 1 0 0 0 20", fail: true},
		"empty":        {line: "", fail: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat(test.line)
			if (err != nil) != test.fail {
				t.Fatalf("error %v, want failure %v", err, test.fail)
			}
			if !test.fail && got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestCPUCountsTheWholeTree(t *testing.T) {
	t.Parallel()
	server := StartOwn(t)
	before, err := server.CPU()
	if err != nil {
		t.Fatal(err)
	}
	// The backend that does this work has ended when the time is read again.
	query(t, server.DSN(superuser), "SELECT sum(hashtext(n::text))::text FROM generate_series(1, 1000000) n")
	after, err := server.CPU()
	if err != nil {
		t.Fatal(err)
	}
	if after <= before {
		t.Errorf("the time went from %s to %s", before, after)
	}
	children, err := childrenOf(server.PID())
	if err != nil || len(children) == 0 {
		t.Errorf("children %v, %v: want the server's background processes", children, err)
	}
	if _, err := treeCPU(0); err == nil {
		t.Error("the time of no process was read")
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	if !alive(os.Getpid()) {
		t.Error("this process is said to be gone")
	}
}
