package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
)

const (
	mediaType = "application/vnd.api+json"

	// apiVersion and appName are what clients read from every answer; another name makes them believe that they talk to
	// a self-managed installation (§5.2).
	apiVersion = "2.6"
	appName    = "HCP Terraform"

	requestLimit = 1 << 20
)

// api serves the platform's management API over the services (§5, §6).
type api struct {
	dialect.Services
	verifications *rateLimit
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

	// later runs when the answer is on its way.
	later func(context.Context)
}

func ok(document any) answer      { return answer{status: http.StatusOK, document: document} }
func created(document any) answer { return answer{status: http.StatusCreated, document: document} }
func gone() answer                { return answer{status: http.StatusNoContent} }

// handler answers one route. Its errors are faults or problems; everything else is ours and shown to nobody.
type handler func(c *call) (answer, error)

// Discovery returns the platform's keys of the discovery document (§7).
func (*Dialect) Discovery() map[string]any {
	return map[string]any{"tfe.v2": "/api/v2/", "tfe.v2.1": "/api/v2/", "tfe.v2.2": "/api/v2/"}
}

// Mount registers the routes of §5 and §6. Whatever else lies below /api/v2/ is not found, by any method.
func (d *Dialect) Mount(mux *http.ServeMux, s dialect.Services) {
	a := &api{Services: s, verifications: newRateLimit(d.VerificationsPerMinute)}
	for pattern, h := range routes() {
		mux.Handle(pattern, a.serve(h))
	}
}

// serve authenticates a request, answers it, and writes what every answer carries.
func (a *api) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("TFP-API-Version", apiVersion)
		w.Header().Set("TFP-AppName", appName)
		who, err := a.Access.Authenticate(r.Context(), bearer(r))
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, requestLimit)
		got, err := h(&call{api: a, Context: r.Context(), request: r, who: who})
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

// write sends an answer. A media type is required even where the body is a problem: without it clients can not create (§5.2).
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
	w.Header().Set("Content-Length", strconv.Itoa(len(body))) // or what runs later would keep the answer open
	if got.later != nil {
		// The next request of the client must not wait for what runs after this answer.
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(got.status)
	if _, err := w.Write(body); err != nil {
		a.Log.DebugContext(r.Context(), "write answer", "dialect", Name, "err", err)
	}
	if got.later != nil {
		_ = http.NewResponseController(w).Flush() // not every writer can; then the answer waits
		got.later(context.WithoutCancel(r.Context()))
	}
}

// refuse answers with the problems of an error.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	list := problemsOf(err)
	if list.status() >= http.StatusInternalServerError {
		a.Log.ErrorContext(r.Context(), "serve request", "dialect", Name, "route", r.Pattern, "err", err)
	} else if fault.CodeOf(err) != fault.Unauthorized {
		// Some clients show nobody but the status line (§5.6), so that the reason must be findable here.
		a.Log.InfoContext(r.Context(), "refuse request", "dialect", Name, "route", r.Pattern, "reason", list.Error())
	}
	if wait, limited := errors.AsType[*limitError](err); limited {
		w.Header().Set("X-RateLimit-Reset", wait.reset())
	}
	a.write(w, r, answer{status: list.status(), document: list.document()})
}

// path returns a part of the request's path.
func (c *call) path(name string) string { return c.request.PathValue(name) }
