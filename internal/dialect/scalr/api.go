package scalr

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
)

const (
	prefix       = "/api/iacp/v3"
	mediaType    = "application/vnd.api+json"
	requestLimit = 1 << 20

	// preview is what clients of 2020 to 2024 ask for; it is acknowledged and changes nothing (§5.1).
	preview = "profile=preview"
)

// api serves the platform's management API over the services (§5, §6).
type api struct {
	dialect.Services
	dialect *Dialect
}

// call is one request of a principal. Like the request itself it carries its context.
type call struct {
	*api
	context.Context
	request *http.Request
	who     estate.Principal

	// names are identifiers that were looked up for this request, known are objects that only its answer speaks of.
	names map[ident.ID]string
	known map[identifier]resource
}

// answer is what a request is answered with; a nil document is an empty body.
type answer struct {
	status   int
	document any
}

func ok(document any) answer      { return answer{http.StatusOK, document} }
func created(document any) answer { return answer{http.StatusCreated, document} }
func gone() answer                { return answer{status: http.StatusNoContent} }

// handler answers one route. Its errors are faults or problems; everything else is ours and shown to nobody.
type handler func(c *call) (answer, error)

var _ dialect.Manager = (*Dialect)(nil)

// Discovery returns the platform's key of the discovery document (§7).
func (*Dialect) Discovery() map[string]any { return map[string]any{"iacp.v3": prefix + "/"} }

// Mount registers the routes of §5 and §6. Other methods of a route are 405, other paths below the prefix are 404: clients
// repeat what is answered with 5xx (§8).
func (d *Dialect) Mount(mux *http.ServeMux, s dialect.Services) {
	a := &api{Services: s, dialect: d}
	for path, methods := range routes() {
		var allowed []string
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
			if h := methods[method]; h != nil {
				allowed = append(allowed, method)
				mux.Handle(method+" "+prefix+path, a.serve(h))
			}
		}
		mux.Handle(prefix+path, a.otherMethod(strings.Join(allowed, ", ")))
	}
	mux.Handle(prefix+"/", a.serve(func(*call) (answer, error) {
		return answer{}, problems{{Status: "404", Title: "Resource not found."}}
	}))
}

func (a *api) otherMethod(allowed string) http.HandlerFunc {
	refuse := a.serve(func(*call) (answer, error) {
		return answer{}, problems{{Status: "405", Title: "Method Not Allowed", Detail: "This resource takes " + allowed + "."}}
	})
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		refuse(w, r)
	}
}

// serve authenticates a request, answers it, and writes what every answer carries.
func (a *api) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Prefer"), preview) {
			w.Header().Set("Preference-Applied", preview)
		}
		who, err := a.Access.Authenticate(r.Context(), bearer(r))
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, requestLimit)
		got, err := h(&call{api: a, Context: r.Context(), request: r, who: who, names: map[ident.ID]string{}, known: map[identifier]resource{}})
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		a.write(w, r, got)
	}
}

// bearer returns the token of a request, "" without one.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// write sends an answer. An empty body on anything but DELETE would make clients fail (§5.1).
func (a *api) write(w http.ResponseWriter, r *http.Request, got answer) {
	if got.document == nil {
		w.WriteHeader(got.status)
		return
	}
	body, err := json.Marshal(got.document)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(got.status)
	if _, err := w.Write(body); err != nil {
		a.Log.DebugContext(r.Context(), "write answer", "dialect", Name, "err", err)
	}
}

// refuse answers with the problems of an error.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	list := problemsOf(err)
	if list.status() >= http.StatusInternalServerError {
		a.Log.ErrorContext(r.Context(), "serve request", "dialect", Name, "route", r.Pattern, "err", err)
	}
	a.write(w, r, answer{list.status(), list.document()})
}

// path returns a part of the request's path.
func (c *call) path(name string) string { return c.request.PathValue(name) }
