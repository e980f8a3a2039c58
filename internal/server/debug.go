package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// debug serves profiles on a listener of its own, when the settings ask for it: never on the public one.
func (s *Server) debug(ctx context.Context) error {
	if s.config.DebugListen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.config.DebugListen)
	if err != nil {
		return fmt.Errorf("listen for --debug-listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	s.background.Go(func() { _ = server.Serve(listener) })
	return nil
}
