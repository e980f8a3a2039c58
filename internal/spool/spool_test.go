package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/spool"
)

// crashVariable makes the test binary a process that spools three events, says so, and is then killed.
const crashVariable = "CARILLON_TEST_SPOOL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashVariable); dir != "" {
		s := spool.Open(spool.Options{Dir: dir, Destination: "a", Sender: &server{err: errAway}})
		for i := range 3 {
			s.Put(numbered("crashed", i))
		}
		fmt.Println("spooled")
		select {}
	}
	goleak.VerifyTestMain(m)
}

var errAway = errors.New("connection refused")

// server is a Sender that takes events or answers an error.
type server struct {
	mu    sync.Mutex
	err   error
	judge func([]event.Event) error
	calls int
	keys  []string
	hang  bool
}

func (s *server) Send(ctx context.Context, events []event.Event) error {
	s.mu.Lock()
	s.calls++
	err, judge, hang := s.err, s.judge, s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if err == nil && judge != nil {
		err = judge(events)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		s.keys = append(s.keys, e.Key)
	}
	return nil
}

func (s *server) answer(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *server) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

func numbered(run string, i int) event.Event {
	return event.Event{
		Kind: event.KindRun, Key: fmt.Sprintf("%s:%d", run, i),
		Run: &event.Run{SourceID: run, Status: event.StatusPlanning, Sequence: int64(i)},
	}
}

func keys(run string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, numbered(run, i).Key)
	}
	return list
}

func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", pattern))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestEventsArriveInOrderAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, away := t.TempDir(), &server{}
		s := spool.Open(spool.Options{Dir: dir, Sender: away})
		for i := range 250 {
			s.Put(numbered("run", i))
		}
		if report := s.Close(t.Context()); report.Sent != 250 || report.Kept != 0 || report.Reason != nil {
			t.Errorf("report is %+v", report)
		}
		if got := away.taken(); !slices.Equal(got, keys("run", 250)) {
			t.Errorf("arrived: %v", got)
		}
		if left := files(t, dir, "*.events"); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestServerThatComesBackGetsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := &server{err: errAway}
		s := spool.Open(spool.Options{Dir: t.TempDir(), Sender: away})
		s.Put(numbered("run", 0))
		time.Sleep(time.Minute)
		s.Put(numbered("run", 1))
		away.answer(nil)
		time.Sleep(20 * time.Second) // more than the longest pause
		synctest.Wait()
		if got := away.taken(); !slices.Equal(got, keys("run", 2)) {
			t.Errorf("arrived before the end: %v", got)
		}
		s.Close(t.Context())
	})
}

func TestServerThatComesBackAtTheEndGetsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := &server{err: errAway}
		s := spool.Open(spool.Options{Dir: t.TempDir(), Sender: away, Wait: time.Second})
		s.Put(numbered("run", 0))
		time.Sleep(time.Hour) // the pauses are long now
		away.answer(nil)
		before := time.Now()
		if report := s.Close(t.Context()); report.Sent != 1 || time.Since(before) != 0 {
			t.Errorf("report is %+v after %v", report, time.Since(before))
		}
	})
}

func TestEndWaitsNoLongerThanAllowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		away *server
		wait time.Duration
		want time.Duration
	}{
		{"server away, default", &server{err: errAway}, 0, 5 * time.Second},
		{"server away, two seconds", &server{err: errAway}, 2 * time.Second, 2 * time.Second},
		{"server away, no wait", &server{err: errAway}, -1, 0},
		{"server hangs", &server{hang: true}, 3 * time.Second, 3 * time.Second},
		{"no rights", &server{err: fault.New(fault.Unauthorized, "no")}, 0, 0},
		{"no such organization", &server{err: fault.Missing("organization", "acme")}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				s := spool.Open(spool.Options{Dir: dir, Sender: tt.away, Wait: tt.wait})
				s.Put(numbered("run", 0))
				synctest.Wait()
				before := time.Now()
				report := s.Close(t.Context())
				if report.Kept != 1 || report.Reason == nil {
					t.Errorf("report is %+v", report)
				}
				if took := time.Since(before); took != tt.want {
					t.Errorf("the end took %v, want %v", took, tt.want)
				}
				if left := files(t, dir, "*.events"); len(left) != 1 {
					t.Errorf("left behind: %v", left)
				}
			})
		})
	}
}

func TestNextProcessDeliversWhatWasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir, away := t.TempDir(), &server{err: errAway}
		for _, run := range []string{"one", "two"} {
			s := spool.Open(spool.Options{Dir: dir, Destination: "a", Sender: away, Wait: -1})
			s.Put(numbered(run, 0))
			s.Put(numbered(run, 1))
			s.Close(t.Context())
			time.Sleep(time.Millisecond) // the files are named by time
		}
		away.answer(nil)
		s := spool.Open(spool.Options{Dir: dir, Destination: "a", Sender: away})
		s.Put(numbered("three", 0))
		if report := s.Close(t.Context()); report.Sent != 5 || report.Kept != 0 {
			t.Errorf("report is %+v", report)
		}
		want := slices.Concat(keys("three", 1), keys("one", 2), keys("two", 2))
		if got := away.taken(); !slices.Equal(got, want) {
			t.Errorf("arrived: %v, want %v", got, want)
		}
		if left := files(t, dir, "*.events"); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestEventsOfOneServerNeverReachAnother(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), &server{}
	s := spool.Open(spool.Options{Dir: dir, Destination: "https://a.example", Sender: &server{err: errAway}, Wait: -1})
	s.Put(numbered("run", 0))
	s.Close(t.Context())
	report, err := spool.Drain(t.Context(), spool.Options{Dir: dir, Destination: "https://b.example", Sender: other})
	if err != nil || report.Sent != 0 || len(other.taken()) != 0 {
		t.Errorf("report is %+v, %v; the other server got %v", report, err, other.taken())
	}
	list, err := spool.List(dir)
	if err != nil || len(list) != 1 || list[0].Destination != "https://a.example" || list[0].Events != 1 {
		t.Errorf("listed: %+v, %v", list, err)
	}
}

func TestOneBadEventHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		picky := &server{judge: func(events []event.Event) error {
			if slices.ContainsFunc(events, func(e event.Event) bool { return e.Key == "run:1" }) {
				return fault.At("/run/status", "There is no such status.")
			}
			return nil
		}}
		s := spool.Open(spool.Options{Dir: dir, Sender: picky})
		for i := range 3 {
			s.Put(numbered("run", i))
		}
		if report := s.Close(t.Context()); report.Sent != 2 || report.Refused != 1 || report.Kept != 0 {
			t.Errorf("report is %+v", report)
		}
		if got, want := picky.taken(), []string{"run:0", "run:2"}; !slices.Equal(got, want) {
			t.Errorf("arrived: %v, want %v", got, want)
		}
		refused := files(t, dir, "*.refused")
		if len(refused) != 1 {
			t.Fatalf("set aside: %v", refused)
		}
		text, err := os.ReadFile(refused[0])
		if err != nil || !strings.Contains(string(text), `"key":"run:1"`) || !strings.Contains(string(text), "no such status") {
			t.Errorf("set aside is %s, %v", text, err)
		}
		if list, err := spool.List(dir); err != nil || len(list) != 1 || !list[0].Refused || list[0].Events != 1 {
			t.Errorf("listed: %+v, %v", list, err)
		}
	})
}

func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), crashVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	there := &server{}
	options := spool.Options{Dir: dir, Destination: "a", Sender: there}
	if report, err := spool.Drain(t.Context(), options); err != nil || report != (spool.Report{}) {
		t.Errorf("while its owner lives: %+v, %v", report, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if report, err := spool.Drain(t.Context(), options); err != nil || report.Sent != 3 {
		t.Errorf("after its death: %+v, %v", report, err)
	}
	if got := there.taken(); !slices.Equal(got, keys("crashed", 3)) {
		t.Errorf("arrived: %v", got)
	}
}

func TestSeveralProcessesShareADirectory(t *testing.T) {
	t.Parallel()
	dir, there := t.TempDir(), &server{}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			s := spool.Open(spool.Options{Dir: dir, Sender: there})
			for i := range 10 {
				s.Put(numbered(fmt.Sprint("run-", n), i))
			}
			_, _ = spool.Drain(t.Context(), spool.Options{Dir: dir, Sender: there})
			s.Close(t.Context())
		})
	}
	all.Wait()
	if _, err := spool.Drain(t.Context(), spool.Options{Dir: dir, Sender: there}); err != nil {
		t.Fatal(err)
	}
	got := there.taken()
	for n := range 8 {
		run := fmt.Sprint("run-", n)
		mine := slices.DeleteFunc(slices.Clone(got), func(key string) bool { return !strings.HasPrefix(key, run+":") })
		if !slices.Equal(mine, keys(run, 10)) {
			t.Errorf("of %s arrived %v", run, mine)
		}
	}
	if left := files(t, dir, "*.events"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDirectoryThatTakesNothingIsSurvived(t *testing.T) {
	t.Parallel()
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	there := &server{}
	s := spool.Open(spool.Options{Dir: blocked, Sender: there, Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.Put(numbered("run", 0))
	if report := s.Close(t.Context()); report.Sent != 1 {
		t.Errorf("report is %+v", report)
	}
	if !strings.Contains(log.String(), "can not be kept on disk") {
		t.Errorf("the log says %q", &log)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"set", map[string]string{"CARILLON_SPOOL": "/var/spool/c", "XDG_STATE_HOME": "/x"}, "/var/spool/c"},
		{"state directory", map[string]string{"XDG_STATE_HOME": "/x"}, "/x/carillon/spool"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := spool.DefaultDir(func(name string) string { return tt.env[name] }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
