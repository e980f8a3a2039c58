package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"carillon/internal/bench"
)

// benchCommand measures this program on this machine.
type benchCommand struct {
	Measure benchMeasure `cmd:"" default:"withargs" help:"Measure throughput, CPU, latency and memory against the bare limit."`
	Sink    benchSink    `cmd:"" hidden:"" help:"The receiver of the measurements."`
	Post    benchPost    `cmd:"" hidden:"" help:"The bare client of the measurements."`
}

type benchMeasure struct {
	output
	Load     time.Duration `default:"10s" help:"How long each measurement puts load on." placeholder:"DURATION"`
	Store    []string      `default:"sqlite" enum:"sqlite,postgres" help:"On these databases: ${enum}." placeholder:"NAME,…"`
	Backlog  int           `default:"1000000" help:"Deliveries that are pending when the start with a backlog is measured." placeholder:"N"`
	History  int           `default:"1000000" help:"Attempts that are recorded when the throughput with a history is measured." placeholder:"N"`
	Scenario []string      `help:"Only these; all by default." placeholder:"NAME,…"`
	Dialect  string        `help:"In this dialect; the first one by default." placeholder:"NAME"`
	Workers  int           `default:"64" help:"Requests in flight of the load generator." placeholder:"N"`
	Dir      string        `help:"Where databases are made; a temporary directory by default." type:"path" placeholder:"DIR"`
}

// Run measures and prints a table.
func (b *benchMeasure) Run(ctx context.Context, g *globals) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	dir := b.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "carillon-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	scenarios, err := b.scenarios()
	if err != nil {
		return err
	}
	report, err := bench.Run(ctx, bench.Options{
		Program: program, Dir: dir, Stores: b.Store, Dialect: b.Dialect, Workers: b.Workers, Scenarios: scenarios,
		Matching: len(b.Scenario) == 0, Progress: g.streams.Err,
	})
	if err != nil && len(report.Figures) == 0 {
		return err
	}
	return errors.Join(err, b.print(g.streams.Out, report, func(w io.Writer) { benchTable(w, report) }))
}

func (b *benchMeasure) scenarios() ([]bench.Scenario, error) {
	all := bench.Scenarios(b.Load, bench.Sizes{Backlog: b.Backlog, History: b.History})
	if len(b.Scenario) == 0 {
		return all, nil
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	for _, wanted := range b.Scenario {
		if !slices.Contains(names, wanted) {
			return nil, usageError{fmt.Errorf("there is no scenario %q; there are %s", wanted, strings.Join(names, ", "))}
		}
	}
	return slices.DeleteFunc(all, func(s bench.Scenario) bool { return !slices.Contains(b.Scenario, s.Name) }), nil
}

func benchTable(w io.Writer, report *bench.Report) {
	row(w, "SCENARIO", "STORE", "DELIVERIES", "PER SECOND", "SHARE OF BARE", "CPU-US", "X BARE", "P50 MS", "P99 MS", "PEAK MB", "BYTES ON DISK", "BARE/S", "BARE CPU-US")
	for _, f := range report.Figures {
		row(w, f.Scenario.Name, f.Store, f.Deliveries, fmt.Sprintf("%.0f", f.PerSecond), fmt.Sprintf("%.2f", f.Share()),
			fmt.Sprintf("%.1f", f.CPUPerDelivery), fmt.Sprintf("%.2f", f.CPURatio()), fmt.Sprintf("%.1f", f.P50),
			fmt.Sprintf("%.1f", f.P99), fmt.Sprintf("%.0f", f.ResidentMB), fmt.Sprintf("%.0f", f.BytesOnDisk),
			fmt.Sprintf("%.0f", f.BarePerSecond), fmt.Sprintf("%.1f", f.BareCPU))
	}
	row(w)
	row(w, "BUDGET", "STORE", "MEASURED", "BUDGET", "AIM", "VERDICT")
	for _, l := range report.Budgets {
		bound := "<= "
		if !l.AtMost {
			bound = ">= "
		}
		row(w, l.Figure, l.Store, fmt.Sprintf("%.2f", l.Value), fmt.Sprintf("%s%g", bound, l.Budget), fmt.Sprintf("%s%g", bound, l.Aim), l.Verdict())
	}
}

type benchSink struct {
	Hang time.Duration `default:"30s"`
}

// Run receives until it is stopped.
func (b *benchSink) Run(ctx context.Context, g *globals) error {
	return serveFor(ctx, g, bench.NewSink(b.Hang))
}

type benchPost struct {
	To      string        `required:""`
	Workers int           `default:"64"`
	Load    time.Duration `default:"4s"`
}

// Run waits to be asked, then posts.
func (b *benchPost) Run(ctx context.Context, g *globals) error {
	return serveFor(ctx, g, bench.ServeBare(b.To, b.Workers, b.Load))
}

// serveFor serves on a free port of this machine and says where.
func serveFor(ctx context.Context, g *globals, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(g.streams.Out, "listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: handler}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
