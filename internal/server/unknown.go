package server

import "net/http"

// unknownPath answers what nobody serves. Go's stock answer says "not found", which clients of some platforms read as the
// answer that an object is gone.
func unknownPath(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"title":"Nothing is here","status":404,"detail":"There is nothing at this path."}` + "\n"))
}
