package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say what is measured.
type Options struct {
	Program string // this program; it is started again as server, receiver and bare client
	Dir     string // for databases; must be empty or not there

	// Database is PostgreSQL's URL and ServerPID its process, for measurements on it; the embedded database when empty.
	Database  string
	ServerPID int
	Store     string // "sqlite", "postgres": for the report

	Dialect   string // the first one when empty
	Load      time.Duration
	Workers   int // requests in flight of the load generator; 64 when 0
	Scenarios []Scenario
	Progress  io.Writer
}

// bareTime is how long the bare client runs.
const bareTime = 4 * time.Second

// drainTime is how long a measurement waits for what is still pending.
const drainTime = 60 * time.Second

// Run measures every scenario, each with a fresh database, and returns their figures in order.
func Run(ctx context.Context, o Options) ([]Figures, error) {
	if o.Workers == 0 {
		o.Workers = 64
	}
	sink, err := start(ctx, o.Program, "bench", "sink")
	if err != nil {
		return nil, err
	}
	defer sink.stop()
	bare, bareCPU, err := measureBare(ctx, o, sink)
	if err != nil {
		return nil, fmt.Errorf("measure the bare limit: %w", err)
	}
	barePerSecond := float64(bare.Requests) / bare.Elapsed.Seconds()
	fmt.Fprintf(o.Progress, "bare limit: %.0f requests/s, %.1f CPU-us a request\n", barePerSecond, bareCPU)
	var all []Figures
	for _, s := range o.Scenarios {
		fmt.Fprintf(o.Progress, "%s: %s ... ", s.Name, s.Title)
		f, err := measure(ctx, o, s, sink)
		if err != nil {
			return all, fmt.Errorf("measure %s: %w", s.Name, err)
		}
		f.BarePerSecond, f.BareCPU = barePerSecond, bareCPU
		fmt.Fprintf(o.Progress, "%.0f deliveries/s, %.1f CPU-us each (%.2f bare), p50 %.1f ms, p99 %.1f ms\n", f.PerSecond, f.CPUPerDelivery, f.CPURatio(), f.P50, f.P99)
		all = append(all, f)
	}
	return all, nil
}

// bareBody is a notification like those that the measured server sends, of the same length.
func bareBody() []byte {
	text := `{"payload_version":1,"notification_configuration_id":"nc-AeUQ2zfKZzW9TiGZ","run_message":"` + strings.Repeat("x", 450) + `","notifications":[]}`
	return []byte(text)
}

// measureBare runs the bare client in a process of its own.
func measureBare(ctx context.Context, o Options, sink *process) (Bare, float64, error) {
	client, err := start(ctx, o.Program, "bench", "post", "--to", sink.url+pathHealthy+"bare", "--workers", fmt.Sprint(o.Workers), "--load", bareTime.String())
	if err != nil {
		return Bare{}, 0, err
	}
	defer client.stop()
	var bare Bare
	before, err := cpuOf(client.pid())
	if err != nil {
		return bare, 0, err
	}
	if err := client.ask(ctx, http.MethodPost, "/post", nil, &bare); err != nil {
		return bare, 0, err
	}
	after, err := cpuOf(client.pid())
	if err != nil || bare.Requests == 0 {
		return bare, 0, errors.Join(err, errors.New("the bare client sent nothing"))
	}
	return bare, float64((after - before).Microseconds()) / float64(bare.Requests), nil
}

// ServeBare lets a bare client be started by a request, so that its preparations are not measured.
func ServeBare(url string, workers int, lasting time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bare, err := PostBare(r.Context(), url, bareBody(), "s3cret", workers, lasting)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(bare)
	})
}

// measure runs one scenario on a fresh server.
func measure(ctx context.Context, o Options, s Scenario, sink *process) (Figures, error) {
	dir, err := dataDir(o.Dir, s.Name)
	if err != nil {
		return Figures{}, err
	}
	defer os.RemoveAll(dir)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", dir, "--egress-allow", "127.0.0.0/8", "--log-level", "warn"}
	if o.Database != "" {
		args = append(args, "--database", o.Database, "--master-key", strings.Repeat("ab", 32))
	}
	node, err := start(ctx, o.Program, args...)
	if err != nil {
		return Figures{}, err
	}
	defer node.stop()
	dialect, triggers, err := spoken(ctx, node, o.Dialect)
	if err != nil {
		return Figures{}, err
	}
	if err := prepare(ctx, node, sink.url, s, dialect, triggers); err != nil {
		return Figures{}, err
	}
	f, err := measureLoad(ctx, o, s, node, sink)
	if err != nil {
		return f, fmt.Errorf("%w\n%s", err, node.log)
	}
	bytes, err := diskBytes(filepath.Dir(filepath.Join(dir, "x")))
	if err == nil && f.Deliveries > 0 && o.Database == "" {
		f.BytesOnDisk = float64(bytes) / float64(f.Deliveries)
	}
	return f, nil
}

// spoken finds the dialect and its triggers.
func spoken(ctx context.Context, node *process, name string) (string, []string, error) {
	var answer struct {
		Items []struct {
			Name     string `json:"name"`
			Triggers map[string][]struct {
				Value string `json:"value"`
			} `json:"triggers"`
		} `json:"items"`
	}
	if err := node.ask(ctx, http.MethodGet, "/v1/dialects", nil, &answer); err != nil {
		return "", nil, err
	}
	for _, d := range answer.Items {
		if name != "" && d.Name != name {
			continue
		}
		var values []string
		for _, t := range d.Triggers["workspace"] {
			values = append(values, t.Value)
		}
		return d.Name, values, nil
	}
	return "", nil, fmt.Errorf("the server does not speak %q", name)
}

// measureLoad puts the load on and waits until everything that can be delivered is.
func measureLoad(ctx context.Context, o Options, s Scenario, node, sink *process) (Figures, error) {
	f := Figures{Scenario: s, Store: o.Store}
	if err := sink.ask(ctx, http.MethodDelete, "/arrivals", nil, nil); err != nil {
		return f, err
	}
	pids := []int{node.pid()}
	if o.ServerPID != 0 {
		pids = append(pids, o.ServerPID)
	}
	before, err := cpuOf(pids...)
	if err != nil {
		return f, err
	}
	workspaces := int64(s.Destinations / s.FanOut)
	l := &load{url: node.url, token: token, workers: o.Workers, rate: s.Rate, workspace: func(n int64) string { return workspaceName(int(n % workspaces)) }}
	l.run(ctx, s.Duration)
	arrived, err := drained(ctx, s, node, sink)
	if err != nil {
		return f, err
	}
	after, err := cpuOf(pids...)
	if err != nil {
		return f, err
	}
	f.Events, f.Refused, f.Deliveries = l.accepted.Load(), l.refused.Load(), arrived.Healthy
	f.P50, f.P99 = arrived.P50, arrived.P99
	if span := arrived.LastAt.Sub(arrived.FirstAt); span > 0 {
		f.PerSecond = float64(arrived.Healthy) / span.Seconds()
	}
	if total := arrived.Healthy + arrived.Failing; total > 0 {
		f.CPUPerDelivery = float64((after - before).Microseconds()) / float64(total)
	}
	resident, err := residentBytes(node.pid())
	f.ResidentMB = float64(resident) / (1 << 20)
	return f, err
}

// drained waits until nothing is pending that can be delivered: the number of arrivals stands still and, where nothing
// fails, nothing is owed.
func drained(ctx context.Context, s Scenario, node, sink *process) (Arrivals, error) {
	deadline := time.Now().Add(drainTime)
	var last Arrivals
	for still := 0; ; {
		var now Arrivals
		var books accounts
		if err := errors.Join(sink.ask(ctx, http.MethodGet, "/arrivals", nil, &now), node.ask(ctx, http.MethodGet, "/v1/accounting", nil, &books)); err != nil {
			return now, err
		}
		if !books.Balanced {
			return now, errors.New("the books do not balance")
		}
		if s.Failing == 0 && s.Hanging == 0 && books.Pending == 0 {
			return now, nil
		}
		if still = still + 1; now.Healthy != last.Healthy {
			still = 0
		}
		if still >= 4 && (s.Failing > 0 || s.Hanging > 0) {
			return now, nil
		}
		if time.Now().After(deadline) {
			return now, fmt.Errorf("%d deliveries are still pending after %v", books.Pending, drainTime)
		}
		last = now
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}
