package server

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readiness says whether the server takes work.
type readiness struct{ yes atomic.Bool }

func (r *readiness) set(yes bool) { r.yes.Store(yes) }

// mountHealth adds what operators ask: is it alive, does it take work, what does it measure.
func (s *Server) mountHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writePlain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{Registry: s.registry}))
}

// readyz asks the store too: a node that can not store must not be sent work.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if !s.ready.yes.Load() {
		writePlain(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	if _, err := s.store.Revision(ctx); err != nil {
		s.log.Error("the store does not answer", "err", err)
		writePlain(w, http.StatusServiceUnavailable, "the store does not answer")
		return
	}
	writePlain(w, http.StatusOK, "ready")
}

func writePlain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// discovery serves the document by which clients find a platform's API on a host. Every dialect adds its keys.
func (s *Server) discovery(document map[string]any) http.HandlerFunc {
	body, err := json.Marshal(document)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			s.log.Error("the discovery document can not be written", "err", err)
			writePlain(w, http.StatusInternalServerError, "internal error")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}
