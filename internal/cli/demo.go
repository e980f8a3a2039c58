package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"carillon/client"
	"carillon/internal/server"
)

// demoCommand shows the main job: a server, receivers, a real run, what arrived.
type demoCommand struct {
	Keep bool `help:"Leave the server running and print its address."`
}

// Names of what the demo makes.
const (
	demoOrganization = "acme"
	demoWorkspace    = "network"
	demoSecret       = "demo-secret"
	demoToken        = "carillon_demo_0123456789abcdefghijklmnopqrstuv"

	// demoPatience bounds the wait for deliveries: everything happens on this machine.
	demoPatience = 30 * time.Second
)

// demo is the demonstration under way.
type demo struct {
	out      io.Writer
	dir      string
	server   *server.Server
	client   *client.Client
	receiver *demoReceiver
	dialects []demoDialect
}

// demoDialect is a dialect as the server lists it.
type demoDialect struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Triggers map[string][]struct {
		Value string `json:"value"`
	} `json:"triggers"`
}

// Run shows everything and fails unless every dialect's deliveries arrived and were verified.
func (c *demoCommand) Run(ctx context.Context, g *globals) error {
	dir, err := os.MkdirTemp("", "carillon-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	d := &demo{out: g.streams.Out, dir: dir}
	if err := d.open(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	err = d.subscribe(ctx)
	if err == nil {
		err = d.apply(ctx)
	}
	if err == nil {
		err = d.fail(ctx)
	}
	if err == nil {
		fmt.Fprintln(d.out, "\nEverything arrived, in order, and every signature was verified.")
	}
	if err == nil && c.Keep {
		fmt.Fprintf(d.out, "The server keeps running at %s; the token is %s. Ctrl-C ends it.\n", d.server.BaseURL(), demoToken)
		<-ctx.Done()
	}
	return errors.Join(err, d.close())
}

// open starts the receiver and the server, both on free ports of this machine.
func (d *demo) open(ctx context.Context) (err error) {
	if d.receiver, err = startDemoReceiver(); err != nil {
		return err
	}
	d.server, err = server.New(ctx, server.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(d.dir, "data"), AdminToken: demoToken, EgressAllow: []string{"127.0.0.1"},
		Version: Version,
	})
	if err != nil {
		return err
	}
	if err := d.server.Start(ctx); err != nil {
		return err
	}
	if _, err := d.server.Bootstrap(ctx); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "A server runs at %s, a receiver at %s; both only on this machine.\n", d.server.BaseURL(), d.receiver.url)
	d.client, err = client.New(client.Options{Server: d.server.BaseURL(), Token: demoToken})
	return err
}

// close ends what open started.
func (d *demo) close() error {
	var problems []error
	if d.server != nil {
		problems = append(problems, d.server.Stop(context.Background()))
	}
	if d.receiver != nil {
		problems = append(problems, d.receiver.close())
	}
	return errors.Join(problems...)
}

// subscribe makes the organization, the workspace, and one subscription to everything in each dialect.
func (d *demo) subscribe(ctx context.Context) error {
	post := func(path string, in any) error { return d.client.Call(ctx, http.MethodPost, path, in, nil) }
	err := errors.Join(
		post("/v1/organizations", map[string]string{"name": demoOrganization}),
		post("/v1/organizations/"+demoOrganization+"/workspaces", map[string]string{"name": demoWorkspace}),
	)
	if err != nil {
		return err
	}
	if d.dialects, err = client.All[demoDialect](ctx, d.client, "/v1/dialects", nil, 0); err != nil {
		return err
	}
	for _, dialect := range d.dialects {
		if _, err := d.client.CreateSubscription(ctx, dialect.draft(d.receiver.url), false); err != nil {
			return fmt.Errorf("subscribe in %s: %w", dialect.Name, err)
		}
		fmt.Fprintf(d.out, "Subscribed to workspace %s/%s in the format of %s.\n", demoOrganization, demoWorkspace, dialect.Title)
	}
	return nil
}

// draft subscribes to everything that the dialect says of a workspace's runs. A dialect without triggers takes all.
func (dialect demoDialect) draft(receiver string) client.SubscriptionDraft {
	draft := client.SubscriptionDraft{
		Organization: demoOrganization, Dialect: dialect.Name, Name: "demo", URL: receiver + "/" + dialect.Name, Secret: demoSecret,
		Scopes: []client.Scope{{Level: "workspace", Name: demoWorkspace}},
	}
	for _, trigger := range dialect.Triggers["workspace"] {
		draft.Triggers = append(draft.Triggers, trigger.Value)
	}
	draft.All = len(draft.Triggers) == 0
	return draft
}

// apply makes a run that succeeds and waits for its notifications.
func (d *demo) apply(ctx context.Context) error {
	fmt.Fprintln(d.out, "\n--- a run that applies ---")
	if err := d.run(ctx, applies()); err != nil {
		return err
	}
	return d.show(ctx, "applied")
}

// fail makes a run that fails.
func (d *demo) fail(ctx context.Context) error {
	fmt.Fprintln(d.out, "\n--- a run that fails ---")
	if err := d.run(ctx, breaks()); err != nil {
		return err
	}
	return d.show(ctx, "errored")
}

// show waits until nothing is owed, prints what arrived since the last time, and judges it.
func (d *demo) show(ctx context.Context, end string) error {
	if err := d.settled(ctx); err != nil {
		return err
	}
	arrived := d.receiver.take()
	fmt.Fprintln(d.out)
	o := output{Output: "table"}
	err := o.print(d.out, nil, func(w io.Writer) {
		row(w, "ARRIVED", "DIALECT", "WHAT", "BYTES", "SIGNATURE")
		for _, a := range arrived {
			row(w, a.at.Format("15:04:05.000"), a.dialect, a.what, a.bytes, a.verdict())
		}
	})
	return errors.Join(err, d.judge(arrived, end))
}

// settled waits until nothing is owed any more.
func (d *demo) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for {
		var books struct {
			Pending  int64 `json:"pending"`
			Accepted int64 `json:"accepted"`
			Balanced bool  `json:"balanced"`
		}
		if err := d.client.Call(ctx, http.MethodGet, "/v1/accounting", nil, &books); err != nil {
			return fmt.Errorf("wait for the deliveries: %w", err)
		}
		switch {
		case !books.Balanced:
			return errors.New("the books do not balance: this is a bug, please report it")
		case books.Accepted > 0 && books.Pending == 0:
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d deliveries did not arrive within %v", books.Pending, demoPatience)
		}
	}
}

// judge fails unless each dialect got something, everything was verified, and the run's steps came in order.
func (d *demo) judge(arrived []demoArrival, end string) error {
	var problems []error
	for _, dialect := range d.dialects {
		var steps []string
		for _, a := range arrived {
			if a.dialect != dialect.Name {
				continue
			}
			steps = append(steps, a.what)
			if a.problem != nil {
				problems = append(problems, fmt.Errorf("%s: %s: %w", dialect.Name, a.what, a.problem))
			}
		}
		if err := inOrder(dialect.Name, steps, end); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// demoSteps are the steps of the demo's runs in the format that tells each of them; a format that tells fewer is judged
// by having told something.
var demoSteps = map[string][]string{
	"applied": {"run:created", "run:planning", "run:applying", "run:completed"},
	"errored": {"run:created", "run:planning", "run:applying", "run:errored"},
}

func inOrder(dialect string, steps []string, end string) error {
	if len(steps) == 0 {
		return fmt.Errorf("nothing arrived in the format of %s", dialect)
	}
	// A recorded run waits for an approval; the real one of the demo is approved beforehand.
	steps = slices.DeleteFunc(slices.Clone(steps), func(s string) bool { return s == "run:needs_attention" })
	if len(steps) > 0 && steps[0] == demoSteps[end][0] && !slices.Equal(steps, demoSteps[end]) {
		return fmt.Errorf("in the format of %s arrived %v, want %v", dialect, steps, demoSteps[end])
	}
	return nil
}
