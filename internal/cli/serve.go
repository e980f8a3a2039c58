package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"carillon/internal/server"
)

// serveCommand runs the server until it is told to stop.
type serveCommand struct {
	Listen   string `default:"127.0.0.1:8080" help:"Address to listen on; port 0 takes a free one." placeholder:"HOST:PORT"`
	Data     string `default:"carillon-data" help:"Directory of the embedded database, the master key and the lock." type:"path" placeholder:"DIR"`
	Database string `help:"Use PostgreSQL at this URL instead of the embedded database." placeholder:"postgres://…"`
	BaseURL  string `name:"base-url" help:"Public address, as people and receivers reach it." placeholder:"URL"`
	NodeName string `help:"Name of this node among several on one database; the host's name by default." placeholder:"NAME"`

	TLSCert       string `name:"tls-cert" help:"Certificate file in PEM." type:"path" placeholder:"FILE"`
	TLSKey        string `name:"tls-key" help:"Key file in PEM." type:"path" placeholder:"FILE"`
	TLSSelfSigned bool   `name:"tls-self-signed" help:"Make a CA and a certificate in the data directory; clients trust DIR/ca.pem."`

	EgressAllow []string `help:"CIDRs and exact hosts that notifications may go to although they are private." placeholder:"CIDR|HOST,…"`

	MasterKey     string `help:"Key that seals secrets: 64 hex digits. Better in a file." placeholder:"HEX"`
	MasterKeyFile string `help:"File with the key that seals secrets; made in the data directory by default." type:"path" placeholder:"FILE"`
	AdminToken    string `help:"Text of the first administrator's token; one is made and printed once by default." placeholder:"TOKEN"`

	DialectOption []string `help:"Settings of single dialects; their documents list them." placeholder:"DIALECT.OPTION=VALUE,…"`

	MailServer string `help:"Mail server for e-mail notifications." placeholder:"smtp://USER:PASSWORD@HOST:PORT"`
	MailFrom   string `help:"Sender of e-mail notifications." placeholder:"ADDRESS"`

	Retention       time.Duration `default:"720h" help:"How long history is kept." placeholder:"DURATION"`
	SoftStopTimeout time.Duration `default:"15s" help:"How long a stop waits for attempts in flight." placeholder:"DURATION"`

	LogFormat string `default:"text" enum:"text,json" help:"Format of the log on standard error: ${enum}."`
	LogLevel  string `default:"info" enum:"debug,info,warn,error" help:"Least severe level that is logged: ${enum}."`

	DebugListen string `help:"Serve profiles (pprof) at this address; keep it private." placeholder:"HOST:PORT"`

	Failpoints string `hidden:"" help:"For crash tests."`
}

// Run serves until ctx ends, then stops softly.
func (c *serveCommand) Run(ctx context.Context, g *globals) error {
	s, err := server.New(ctx, c.config(newLogger(g.streams.Err, c.LogFormat, c.LogLevel)))
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return fmt.Errorf("start the server: %w", joinStop(s, err))
	}
	token, err := s.Bootstrap(ctx)
	if err != nil {
		return fmt.Errorf("make the first token: %w", joinStop(s, err))
	}
	fmt.Fprintf(g.streams.Out, "listening on %s\n", s.BaseURL())
	if token != "" {
		fmt.Fprintf(g.streams.Out, "admin token (shown this once): %s\n", token)
	}
	giveGarbageRoom(ctx)
	<-ctx.Done()
	fmt.Fprintln(g.streams.Err, "stopping: waiting for attempts in flight")
	return s.Stop(context.WithoutCancel(ctx))
}

func (c *serveCommand) config(log *slog.Logger) server.Config {
	config := server.Config{
		Listen: c.Listen, DataDir: c.Data, DatabaseURL: c.Database, BaseURL: c.BaseURL, NodeName: c.NodeName,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, TLSSelfSigned: c.TLSSelfSigned,
		EgressAllow: c.EgressAllow, DialectOptions: c.DialectOption, MasterKey: c.MasterKey, MasterKeyFile: c.MasterKeyFile, AdminToken: c.AdminToken,
		DebugListen: c.DebugListen, MailServer: c.MailServer, MailFrom: c.MailFrom, Retention: c.Retention, SoftStopTimeout: c.SoftStopTimeout,
		Version: Version, Log: log, Failpoints: c.Failpoints,
	}
	return config
}

// joinStop stops what was started and keeps both errors.
func joinStop(s *server.Server, err error) error {
	if stopErr := s.Stop(context.Background()); stopErr != nil {
		return fmt.Errorf("%w (and while stopping: %w)", err, stopErr)
	}
	return err
}

// newLogger returns the program's logger.
func newLogger(to io.Writer, format, level string) *slog.Logger {
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // the flag's enum holds only valid levels
	options := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}
