package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const connectTimeout = 5 * time.Second

// session is set on every connection. The first line is the promise: an acknowledgement means that the server has
// flushed, whatever its own configuration says; a server that waits for its standbys' replay keeps doing so.
const session = `SELECT
	set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
	set_config('default_transaction_isolation', 'read committed', false),
	set_config('idle_in_transaction_session_timeout', '10s', false), -- a paused process does not hold others up
	set_config('jit', 'off', false)`

// hotPlans is set where only the statements of Commit run. Each has one right plan, by index, planned once: statistics of
// a queue that was empty a minute ago know less.
const hotPlans = `SELECT
	set_config('plan_cache_mode', 'force_generic_plan', false),
	set_config('enable_seqscan', 'off', false),
	set_config('enable_hashjoin', 'off', false),
	set_config('enable_mergejoin', 'off', false)`

// errNotDurable is why a server is refused.
var errNotDurable = errors.New("the server does not keep what it acknowledges")

// configure reads the connection string and completes it where it is silent.
func configure(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the connection string: %w", err)
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "carillon"
	}
	// Reads are planned each time with the tables as they are: the queue grows and shrinks a thousandfold.
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return config, nil
}

func newPool(ctx context.Context, dsn string, size int, setup func(context.Context, *pgx.Conn) error) (*pgxpool.Pool, error) {
	c, err := configure(dsn)
	if err != nil {
		return nil, err
	}
	c.MaxConns, c.MinConns = int32(size), 0
	c.AfterConnect = setup
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func setupReader(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, session); err != nil {
		return fmt.Errorf("set the session up: %w", err)
	}
	return checkDurable(ctx, conn)
}

// setupLister bounds what people ask for: a list that takes longer helps nobody.
func setupLister(ctx context.Context, conn *pgx.Conn) error {
	if err := setupReader(ctx, conn); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "SET statement_timeout = '30s'")
	return wrap("set the session up", err)
}

func setupWriter(ctx context.Context, conn *pgx.Conn) error {
	if err := setupReader(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, hotPlans); err != nil {
		return fmt.Errorf("set the session up: %w", err)
	}
	for name, sql := range hotStatements {
		if _, err := conn.Prepare(ctx, name, sql); err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
	}
	return nil
}

// checkDurable asks the server what is in force, rather than trusting that it was set.
func checkDurable(ctx context.Context, conn *pgx.Conn) error {
	var commit, fsync string
	err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')").Scan(&commit, &fsync)
	if err != nil {
		return fmt.Errorf("check the session: %w", err)
	}
	if commit != "on" && commit != "remote_apply" {
		return fmt.Errorf("%w: synchronous_commit is %s although it was set to on", errNotDurable, commit)
	}
	if fsync != "on" {
		return fmt.Errorf("%w: fsync is %s; set fsync = on in its configuration", errNotDurable, fsync)
	}
	return nil
}
