package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Options say what is measured.
type Options struct {
	Program string // this program; it is started again as server, receiver and bare client
	Dir     string // for databases; must be empty or not there

	Stores    []string // Embedded, PostgreSQL
	Dialect   string   // the first one when empty
	Workers   int      // requests in flight of the load generator; 64 when 0
	Scenarios []Scenario
	Matching  bool // also measure finding subscriptions
	Progress  io.Writer
}

// bareTime is how long the bare client runs before and after each measurement.
const bareTime = 2 * time.Second

// Run measures every scenario on every database, each in a fresh one. What was measured before an error is returned too.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Workers == 0 {
		o.Workers = 64
	}
	report := &Report{}
	if o.Matching {
		m := measureMatching()
		report.Matching = &m
	}
	sink, err := start(ctx, o.Program, "bench", "sink")
	if err != nil {
		return report, err
	}
	defer sink.stop()
	for _, kind := range o.Stores {
		if err = runOn(ctx, o, kind, sink, report); err != nil {
			break
		}
	}
	report.Budgets = report.budgets()
	return report, err
}

// runOn measures on one kind of database.
func runOn(ctx context.Context, o Options, kind string, sink *process, report *Report) (err error) {
	cluster, err := startCluster(ctx, kind)
	if err != nil {
		return fmt.Errorf("start the database: %w", err)
	}
	defer func() { err = errors.Join(err, cluster.stop()) }()
	before, err := measureBare(ctx, o, sink)
	if err != nil {
		return fmt.Errorf("measure the bare limit: %w", err)
	}
	for _, s := range o.Scenarios {
		if s.Only != "" && s.Only != kind {
			continue
		}
		fmt.Fprintf(o.Progress, "%s on %s: %s ... ", s.Name, kind, s.Title)
		m := &measurement{o: o, s: s, sink: sink, cluster: cluster, figures: Figures{Scenario: s, Store: kind}}
		if err := m.run(ctx); err != nil {
			return fmt.Errorf("measure %s on %s: %w", s.Name, kind, err)
		}
		after, err := measureBare(ctx, o, sink)
		if err != nil {
			return fmt.Errorf("measure the bare limit: %w", err)
		}
		f := m.figures
		f.BarePerSecond, f.BareCPU = (before.perSecond()+after.perSecond())/2, (before.CPU+after.CPU)/2
		before = after
		fmt.Fprintf(o.Progress, "%.0f/s (%.2f of bare), %.1f CPU-us each (%.2f x bare), p50 %.1f ms, p99 %.1f ms\n",
			f.PerSecond, f.Share(), f.CPUPerDelivery, f.CPURatio(), f.P50, f.P99)
		report.Figures = append(report.Figures, f)
	}
	return nil
}

func (b Bare) perSecond() float64 { return ratio(float64(b.Requests), b.Elapsed.Seconds()) }

// bareBody is a notification like those that the measured server sends, of about the same length: Figures.BodyBytes has
// theirs.
func bareBody() []byte {
	text := `{"payload_version":1,"notification_configuration_id":"nc-AeUQ2zfKZzW9TiGZ","run_message":"` + strings.Repeat("x", bareText) + `","notifications":[]}`
	return []byte(text)
}

// bareText is the length of the message in the bare client's body.
const bareText = 500

// measureBare runs the bare client in a process of its own.
func measureBare(ctx context.Context, o Options, sink *process) (Bare, error) {
	var bare Bare
	client, err := start(ctx, o.Program, "bench", "post", "--to", sink.url+pathHealthy+"bare", "--workers", fmt.Sprint(o.Workers), "--load", bareTime.String())
	if err != nil {
		return bare, err
	}
	defer client.stop()
	before, err := cpuOf(client.pid())
	if err != nil {
		return bare, err
	}
	if err := client.ask(ctx, http.MethodPost, "/post", nil, &bare); err != nil {
		return bare, err
	}
	after, err := cpuOf(client.pid())
	if err != nil || bare.Requests == 0 {
		return bare, errors.Join(err, errors.New("the bare client sent nothing"))
	}
	bare.CPU = float64((after - before).Microseconds()) / float64(bare.Requests)
	return bare, nil
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
