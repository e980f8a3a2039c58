package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"carillon/internal/server"
)

// migrateCommand moves an installation to PostgreSQL.
type migrateCommand struct {
	From     string `required:"" help:"Data directory of the server, which must be stopped. Nothing in it is changed." type:"path" placeholder:"DIR"`
	To       string `required:"" help:"Empty database to copy everything into." placeholder:"postgres://…"`
	LogLevel string `default:"warn" enum:"debug,info,warn,error" help:"Least severe level that is logged: ${enum}."`
}

// Run copies, compares, and says how to go on.
func (c *migrateCommand) Run(ctx context.Context, g *globals) error {
	progress := progress{to: g.streams.Err}
	counts, err := server.Migrate(ctx, server.Migration{
		DataDir: c.From, DatabaseURL: c.To, Report: progress.report, Log: newLogger(g.streams.Err, "text", c.LogLevel),
	})
	progress.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(g.streams.Out, "copied and compared: %d records, %d events, %d attempts, %d pending deliveries\n",
		counts.Records, counts.Events, counts.Attempts, counts.Deliveries)
	fmt.Fprintln(g.streams.Out, "Start the server with --database and the same master key (--data or --master-key-file); do not start it without --database again.")
	return nil
}

// progress writes a line for each step, and now and then how far a long one is.
type progress struct {
	to   io.Writer
	what string
	done int
	told time.Time
}

func (p *progress) report(what string, done int) {
	if what != p.what {
		p.end()
		p.what, p.told = what, time.Now()
	}
	p.done = done
	if time.Since(p.told) >= time.Second {
		p.told = time.Now()
		fmt.Fprintf(p.to, "%d %s …\n", done, what)
	}
}

func (p *progress) end() {
	if p.what != "" {
		fmt.Fprintf(p.to, "%d %s\n", p.done, p.what)
	}
	p.what = ""
}
