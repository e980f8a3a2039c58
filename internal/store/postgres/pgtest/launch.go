// Package pgtest runs a real PostgreSQL server for tests and benchmarks: in a directory of its own, on a Unix socket,
// with every guarantee of durability on, as an unprivileged user when it is called as root.
//
// Start gives a test the server that its test binary shares; Launch starts one outside tests. The package never touches
// a server that it did not start, and never runs without PostgreSQL: it says what to install.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "postgres"
	port      = 5432 // names the socket's file; nothing listens on the network

	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Server is one running PostgreSQL.
type Server struct {
	dir      string
	programs programs
	account  *account
	settings []string

	mu   sync.Mutex
	proc *process // nil while it is stopped
}

// Launch makes a new cluster below dir, starts its server and waits until it answers. Settings are lines as in
// postgresql.conf, such as "shared_buffers=512MB". The caller stops the server and removes dir.
func Launch(ctx context.Context, dir string, settings ...string) (*Server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	account, err := findAccount()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, programs: programs, account: account, settings: settings}
	if err := account.own(dir); err != nil {
		return nil, fmt.Errorf("hand %s over to %s: %w", dir, account.name, err)
	}
	if err := s.initialize(ctx); err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// initialize makes the cluster's files. What it writes is not flushed: until it answers nothing is worth keeping.
func (s *Server) initialize(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, s.programs.initdb,
		"--pgdata", s.data(), "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.account.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb as %s: %w\n%s", s.account.name, err, out)
	}
	return nil
}

// Start starts the server again after Stop or Kill, on the same files, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return errors.New("start PostgreSQL: it is running")
	}
	proc, err := startProcess(s.command(), s.logFile())
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.await(ctx, proc); err != nil {
		_ = proc.kill()
		return fmt.Errorf("start PostgreSQL: %w\n%s", err, s.logTail())
	}
	s.proc = proc
	return nil
}

func (s *Server) command() *exec.Cmd {
	args := []string{"-D", s.data()}
	for _, setting := range append([]string{
		"listen_addresses=", "unix_socket_directories=" + s.dir, "port=" + strconv.Itoa(port),
		"fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=300",
	}, s.settings...) {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(s.programs.postgres, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = s.account.attributes()
	return cmd
}

// await returns when the server answers, and fails when its process ends before.
func (s *Server) await(ctx context.Context, proc *process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN(superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-proc.ended:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// DSN returns the connection string of a database.
func (s *Server) DSN(database string) string {
	query := url.Values{"host": {s.dir}, "port": {strconv.Itoa(port)}, "user": {superuser}}
	return "postgres:///" + url.PathEscape(database) + "?" + query.Encode()
}

// CreateDatabase makes an empty database and returns its connection string.
func (s *Server) CreateDatabase(ctx context.Context, name string) (string, error) {
	if err := s.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return s.DSN(name), nil
}

// DropDatabase removes a database and ends the connections to it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN(superuser))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// Stop ends the server in an orderly way. It does nothing when the server is stopped.
func (s *Server) Stop() error {
	return s.end((*process).stop)
}

// Kill ends the server and all its processes by SIGKILL, as a crash would: nothing is flushed or told to anybody.
func (s *Server) Kill() error {
	return s.end((*process).kill)
}

func (s *Server) end(how func(*process) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	proc := s.proc
	s.proc = nil
	return how(proc)
}

// PID returns the process id of the server's first process, 0 while it is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.pid()
}

// CPU returns the processor time that the server's processes have used, those that ended included.
func (s *Server) CPU() (time.Duration, error) {
	return treeCPU(s.PID())
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// logTail returns the end of the server's log, for messages.
func (s *Server) logTail() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-2000):])
}
