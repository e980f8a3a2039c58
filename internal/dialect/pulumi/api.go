package pulumi

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
)

const requestLimit = 1 << 20

// api serves the platform's management API over the services (§5, §6).
type api struct {
	dialect.Services
}

// call is one request of a principal. Like the request itself it carries its context.
type call struct {
	*api
	context.Context
	request *http.Request
	who     estate.Principal
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

// Discovery has nothing to add: the platform's clients need none.
func (*Dialect) Discovery() map[string]any { return nil }

// Mount registers the routes of §5.1 and §6.1. Whatever else lies below /api/ is not found, and other methods of a route
// are not allowed.
func (*Dialect) Mount(mux *http.ServeMux, s dialect.Services) {
	a := &api{Services: s}
	paths := map[string]bool{}
	for pattern, h := range routes() {
		mux.Handle(pattern, a.known(h))
		paths[path(pattern)] = true
	}
	for pattern, h := range openRoutes() {
		mux.Handle(pattern, a.serve(h))
		paths[path(pattern)] = true
	}
	for path := range paths {
		mux.Handle(path, a.serve(func(*call) (answer, error) { return answer{}, notAllowed }))
	}
	mux.Handle("/api/", a.known(func(*call) (answer, error) { return answer{}, notFound("There is nothing here") }))
}

// path is a route's pattern without its method.
func path(pattern string) string { return pattern[strings.IndexByte(pattern, ' ')+1:] }

// known serves those who show a token.
func (a *api) known(h handler) http.HandlerFunc {
	return a.serve(func(c *call) (answer, error) {
		who, err := a.Access.Authenticate(c, token(c.request))
		if err != nil {
			return answer{}, err
		}
		c.who = who
		return h(c)
	})
}

// serve answers a request. What clients say they accept is not asked: they read JSON whatever they say (§7).
func (a *api) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, requestLimit)
		got, err := h(&call{api: a, Context: r.Context(), request: r})
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		a.write(w, r, got)
	}
}

// token returns the token of a request, "" without one: "Authorization: token …", in any case, or Bearer (§7).
func token(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "token") && !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (a *api) write(w http.ResponseWriter, r *http.Request, got answer) {
	if got.document == nil {
		w.WriteHeader(got.status)
		return
	}
	body, plain := got.document.([]byte)
	if !plain {
		var err error
		if body, err = encode(got.document); err != nil {
			a.refuse(w, r, err)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(got.status)
	if _, err := w.Write(body); err != nil {
		a.Log.DebugContext(r.Context(), "write answer", "dialect", Name, "err", err)
	}
}

// refuse answers with the problem of an error.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	switch {
	case p.Code >= http.StatusInternalServerError:
		a.Log.ErrorContext(r.Context(), "serve request", "dialect", Name, "route", r.Pattern, "err", err)
	case fault.CodeOf(err) != fault.Unauthorized:
		a.Log.InfoContext(r.Context(), "refuse request", "dialect", Name, "route", r.Pattern, "reason", p.Message)
	}
	a.write(w, r, answer{p.Code, p})
}

// path returns a part of the request's path, decoded by itself (§8).
func (c *call) path(name string) string { return c.request.PathValue(name) }
