package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"carillon/api"
	"carillon/internal/httpapi"
)

// document is the OpenAPI document with its router, read once.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.YAML())
	if err != nil {
		return nil, err
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	return doc, doc.Validate(context.Background())
})

var paths = sync.OnceValues(func() (routers.Router, error) {
	doc, err := document()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

func TestEveryRouteIsDescribedAndEveryDescriptionIsServed(t *testing.T) {
	t.Parallel()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			var query []string
			for _, parameter := range operation.Parameters {
				if parameter.Value.In == openapi3.ParameterInQuery {
					query = append(query, parameter.Value.Name)
				}
			}
			described = append(described, spellRoute(method+" "+path, query))
		}
	}
	for _, r := range httpapi.Routes() {
		served = append(served, spellRoute(r.Pattern, r.Query))
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}

func spellRoute(pattern string, query []string) string {
	query = slices.Sorted(slices.Values(query))
	return pattern + "?" + strings.Join(query, "&")
}

func TestEveryOperationHasAName(t *testing.T) {
	t.Parallel()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.OperationID == "" || operation.Summary == "" || seen[operation.OperationID] {
				t.Errorf("%s %s: operation %q, summary %q", method, path, operation.OperationID, operation.Summary)
			}
			seen[operation.OperationID] = true
		}
	}
}

// checked holds a request and its answer against the document: every answer must be described, and what was answered
// with success must have been asked for as described.
func checked(t testing.TB, r *http.Request, body string, got *httptest.ResponseRecorder) {
	t.Helper()
	router, err := paths()
	if err != nil {
		t.Fatal(err)
	}
	again := r.Clone(context.Background())
	again.Body = io.NopCloser(strings.NewReader(body))
	again.URL.Scheme, again.URL.Host = "", ""
	if again.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		again.Header.Set("Content-Type", "application/json") // what curl -d says of JSON
	}
	route, params, err := router.FindRoute(again)
	if err != nil {
		if got.Code != http.StatusNotFound && got.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is not described: %v", r.Method, r.URL.Path, err)
		}
		return
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
	}
	in := &openapi3filter.RequestValidationInput{Request: again, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && got.Code < 300 {
		t.Errorf("%s %s was taken, and is not as described: %v", r.Method, r.URL.Path, err)
	}
	if route.Path == "/in/{source}" && got.Code < 300 {
		return // the answer is the platform's
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.Code, Header: got.Header(), Options: options,
		Body: io.NopCloser(bytes.NewReader(got.Body.Bytes())),
	})
	if err != nil {
		t.Errorf("the answer of %s %s is not as described: %v\n%s", r.Method, r.URL.Path, err, got.Body)
	}
	if got.Header().Get("Content-Type") == "application/x-ndjson" {
		checkedLines(t, got.Body.String())
	}
}

// checkedLines holds each line of a stream's answer against its description.
func checkedLines(t testing.TB, answer string) {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(answer) {
		var result any
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatal(err)
		}
		if err := doc.Components.Schemas["StreamResult"].Value.VisitJSON(result); err != nil {
			t.Errorf("%s is not as described: %v", line, err)
		}
	}
}

func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	handler := httpapi.New(httpapi.Deps{})
	for path, contentType := range map[string]string{
		"/v1/openapi.yaml": "application/yaml", "/v1/openapi.json": "application/json",
	} {
		got := httptest.NewRecorder()
		handler.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
		if got.Code != http.StatusOK || got.Header().Get("Content-Type") != contentType {
			t.Fatalf("%s: %d, %s", path, got.Code, got.Header())
		}
		doc, err := openapi3.NewLoader().LoadFromData(got.Body.Bytes())
		if err != nil || doc.OpenAPI != "3.1.0" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSamplesAreDescribed holds the closed list of samples against the one in the document.
func TestSamplesAreDescribed(t *testing.T) {
	t.Parallel()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	var described []string
	for _, name := range doc.Components.Schemas["Sample"].Value.Enum {
		described = append(described, name.(string))
	}
	if !slices.Equal(described, httpapi.SampleNames()) {
		t.Errorf("described: %v\nserved:    %v", described, httpapi.SampleNames())
	}
}
