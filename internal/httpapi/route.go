package httpapi

import (
	"net/http"
	"strings"

	"carillon/internal/fault"
)

// handler answers one request, or returns why it does not.
type handler func(c *call) error

// route is one method and path of the API.
type route struct {
	pattern string
	handle  handler
	query   []string // the parameters it knows
	open    bool     // answered without a token
}

// Route is what a route says of itself.
type Route struct {
	Pattern string // as http.ServeMux spells it
	Query   []string
}

// Routes lists every route.
func Routes() []Route {
	var all []Route
	for _, r := range (&api{}).routes() {
		all = append(all, Route{r.pattern, r.query})
	}
	return all
}

// mount registers the routes and answers everything else with a problem. A second mux without the fallback tells a wrong
// method from a wrong path.
func (a *api) mount() http.Handler {
	mux, known := http.NewServeMux(), http.NewServeMux()
	for _, r := range a.routes() {
		mux.Handle(r.pattern, a.serve(r))
		known.Handle(r.pattern, http.NotFoundHandler())
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.noRoute(known, w, r) })
	return mux
}

// serve finds out who asks, and turns the handler's error into an answer.
func (a *api) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r}
		err := a.identify(c, route)
		if err == nil {
			c.q, err = readQuery(r, route.query)
		}
		if err == nil {
			err = route.handle(c)
		}
		if err != nil {
			if !route.open && fault.Is(err, fault.Unauthorized) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="Carillon"`)
			}
			refuse(r.Context(), a.Services.Log, w, err)
		}
	})
}

// identify finds the principal of the request's token.
func (a *api) identify(c *call, route route) (err error) {
	if route.open {
		return nil
	}
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		return fault.New(fault.Unauthorized, `Send a token: the header "Authorization: Bearer <token>".`)
	}
	c.p, err = a.Services.Access.Authenticate(c.r.Context(), strings.TrimSpace(token))
	return err
}

// noRoute answers a request that no route takes: with 405 and the methods that are there, or with 404.
func (a *api) noRoute(known *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var seen headerOnly
	known.ServeHTTP(&seen, r)
	if seen.status == http.StatusMethodNotAllowed {
		allowed := seen.Header().Get("Allow")
		w.Header().Set("Allow", allowed)
		writeProblem(w, problem{
			Type: "urn:carillon:problem:method_not_allowed", Title: "Method not allowed", Status: http.StatusMethodNotAllowed,
			Code: "method_not_allowed", Detail: "This path takes " + allowed + ".",
		})
		return
	}
	refuse(r.Context(), a.Services.Log, w, fault.New(fault.NotFound, "There is no %s; the API is described at /v1/openapi.yaml.", r.URL.Path))
}

// headerOnly notes what the mux would answer by itself.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header {
	if h.header == nil {
		h.header = http.Header{}
	}
	return h.header
}

func (h *headerOnly) Write(p []byte) (int, error) { return len(p), nil }

func (h *headerOnly) WriteHeader(status int) { h.status = status }
