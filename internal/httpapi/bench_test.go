package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/httpapi"
)

// BenchmarkPostEvent measures what this package adds to an event that comes in: the token, the reading and the answer.
func BenchmarkPostEvent(b *testing.B) {
	body, err := os.ReadFile("testdata/event.json")
	if err != nil {
		b.Fatal(err)
	}
	w, stop := open(b, filepath.Join(b.TempDir(), "carillon.db"))
	defer stop()
	_, err = w.manage.Organizations().Create(b.Context(), estate.System(), estate.Organization{Common: estate.Common{Name: "acme"}})
	if err != nil {
		b.Fatal(err)
	}
	known, err := event.Parse(body)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.manage.Register(b.Context(), &known); err != nil {
		b.Fatal(err)
	}
	handler := httpapi.New(httpapi.Deps{
		Services: w.manage.Services(), MaySend: w.manage.MaySend,
		Accept: func(context.Context, []event.Event) ([]dialect.Receipt, error) {
			return []dialect.Receipt{{Event: 1, Run: 2, Deliveries: 3}}, nil
		},
	})
	text := string(body)
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(text))
		r.Header.Set("Authorization", "Bearer "+adminToken)
		if handler.ServeHTTP(recorder, r); recorder.Code != http.StatusAccepted {
			b.Fatal(recorder.Code, recorder.Body)
		}
	}
}
