package cli

import (
	"context"
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
	figures, err := bench.Run(ctx, bench.Options{
		Program: program, Dir: dir, Store: "sqlite", Dialect: b.Dialect, Load: b.Load, Workers: b.Workers, Scenarios: scenarios,
		Progress: g.streams.Err,
	})
	if err != nil {
		return err
	}
	return b.print(g.streams.Out, figures, func(w io.Writer) { benchTable(w, figures) })
}

func (b *benchMeasure) scenarios() ([]bench.Scenario, error) {
	all := bench.Scenarios(b.Load)
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

func benchTable(w io.Writer, figures []bench.Figures) {
	row(w, "SCENARIO", "STORE", "DELIVERIES", "PER SECOND", "SHARE OF BARE", "CPU-US", "X BARE", "P50 MS", "P99 MS", "RSS MB", "BYTES ON DISK")
	for _, f := range figures {
		row(w, f.Scenario.Name, f.Store, f.Deliveries, fmt.Sprintf("%.0f", f.PerSecond), fmt.Sprintf("%.2f", f.Share()),
			fmt.Sprintf("%.1f", f.CPUPerDelivery), fmt.Sprintf("%.2f", f.CPURatio()), fmt.Sprintf("%.1f", f.P50),
			fmt.Sprintf("%.1f", f.P99), fmt.Sprintf("%.0f", f.ResidentMB), fmt.Sprintf("%.0f", f.BytesOnDisk))
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
