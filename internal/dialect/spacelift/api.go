package spacelift

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
)

// Limits of one request (§5.1). Complexity is the number of selections after fragments are spread; the largest query of
// the platform's clients has about 200.
const (
	requestLimit    = 1 << 20
	queryLimit      = 100_000 // bytes
	depthLimit      = 20
	selectionLimit  = 2_000
	overlapLimit    = 50_000
	unavailableWait = "5" // seconds
)

// api serves the platform's GraphQL API over the services (§5).
type api struct {
	dialect.Services
	dialect  *Dialect
	schema   *graphql.Schema
	failures *failures
	changing *locks
}

// call is one request. Its resolvers find it in their context.
type call struct {
	*api
	who      estate.Principal
	signedIn bool
	account  estate.Organization
	key      string // the API key's identifier
	address  string // of the client
	memory   memory
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// Discovery returns nothing: the platform has no keys in the discovery document (§7).
func (*Dialect) Discovery() map[string]any { return nil }

// Mount registers the API's one path.
func (d *Dialect) Mount(mux *http.ServeMux, s dialect.Services) {
	a := &api{
		Services: s, dialect: d, failures: newFailures(d.FailedSignInsPerMinute, s.Now), changing: newLocks(),
	}
	a.schema = newSchema(a)
	mux.HandleFunc("/graphql", a.serve)
}

// query is a request's body (§5.1).
type query struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

// serve answers a request. Nothing that was executed is answered with an error status: clients repeat mutations on 5xx
// (§8).
func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "queries are sent by POST")
		return
	}
	q, status, problem := readQuery(w, r)
	if problem != "" {
		refuse(w, status, problem)
		return
	}
	c, err := a.open(r)
	if wait, limited := errors.AsType[*limitError](err); limited {
		w.Header().Set("Retry-After", wait.seconds())
		refuse(w, http.StatusTooManyRequests, "too many wrong API keys from this address")
		return
	}
	if err != nil {
		a.Log.ErrorContext(r.Context(), "authenticate request", "dialect", Name, "err", err)
		w.Header().Set("Retry-After", unavailableWait)
		refuse(w, http.StatusServiceUnavailable, "the service is not available right now")
		return
	}
	a.Log.DebugContext(r.Context(), "serve query", "dialect", Name, "org", c.account.ID, "operation", operationOf(r))
	answer := a.schema.Exec(context.WithValue(r.Context(), callKey{}, c), q.Query, q.OperationName, q.Variables)
	body, err := json.Marshal(answer)
	if err != nil {
		a.Log.ErrorContext(r.Context(), "write answer", "dialect", Name, "err", err)
		body = []byte(`{"errors":[{"message":"internal error"}]}`)
	}
	write(w, http.StatusOK, body)
}

// readQuery reads a body, or says with which status and why it can not be read.
func readQuery(w http.ResponseWriter, r *http.Request) (q query, status int, problem string) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, requestLimit))
	var raw json.RawMessage
	err := decoder.Decode(&raw)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return q, http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB"
	}
	if err != nil || decoder.More() {
		return q, http.StatusBadRequest, "the body is not a JSON object"
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &q) != nil {
		return q, http.StatusBadRequest, `the body must be one object with "query" and "variables"`
	}
	return q, 0, ""
}

// operationOf is what the platform's clients call an operation. It serves the log alone (§5.1).
func operationOf(r *http.Request) string {
	for _, header := range []string{"Spacelift-GraphQL-Query", "Spacelift-GraphQL-Mutation"} {
		if name := r.Header.Get(header); name != "" && len(name) < 100 {
			return strconv.Quote(name)
		}
	}
	return ""
}

// open finds out who asks. A request without a valid token is still a call: it may exchange a key (§5.1).
func (a *api) open(r *http.Request) (*call, error) {
	c := &call{api: a, address: clientAddress(r)}
	token := bearer(r)
	if token == "" {
		return c, a.failures.check(c.address)
	}
	return c, a.resume(r.Context(), c, token)
}

// clientAddress is where a request came from.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// refuse answers a request that is not executed.
func refuse(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string]any{"errors": []any{map[string]string{"message": message}}})
	if err != nil {
		body = []byte(`{"errors":[{"message":"internal error"}]}`)
	}
	write(w, status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}

// unauthorized begins with the word to which clients add a hint (§5.1).
type problem string

// Error is the message that clients show.
func (p problem) Error() string { return string(p) }

const (
	errSignIn   problem = "unauthorized: sign in with an API key first"
	errInternal problem = "internal error"
)

// public turns an error into what clients may see. What is ours is logged and shown to nobody.
func (c *call) public(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok || f.Code == fault.Internal:
		c.Log.ErrorContext(ctx, "execute query", "dialect", Name, "org", c.account.ID, "err", err)
		return errInternal
	case f.Code == fault.Forbidden, f.Code == fault.Unauthorized:
		return problem("unauthorized: " + f.Message)
	}
	return problem(f.Message)
}
