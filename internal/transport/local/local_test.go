package local_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/transport"
	"carillon/internal/transport/local"
)

func TestSend(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		work   func(context.Context) error
		url    string
		class  delivery.Class
		status int
		body   string
	}{
		"done":       {func(context.Context) error { return nil }, "a:1", delivery.ClassAnswered, 200, ""},
		"of no use":  {func(context.Context) error { return fault.New(fault.Invalid, "No.") }, "a:1", delivery.ClassAnswered, 422, "No."},
		"not now":    {func(context.Context) error { return fault.New(fault.Unavailable, "Later.") }, "a:1", delivery.ClassAnswered, 503, "Later."},
		"ours":       {func(context.Context) error { return errors.New("disk full") }, "a:1", delivery.ClassAnswered, 503, ""},
		"a panic":    {func(context.Context) error { panic("x") }, "a:1", delivery.ClassAnswered, 503, ""},
		"too long":   {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "a:1", delivery.ClassAnswered, 503, ""},
		"nobody's":   {func(context.Context) error { return nil }, "b:1", delivery.ClassAnswered, 422, "There is nobody for this work."},
		"no address": {func(context.Context) error { return nil }, "", delivery.ClassAnswered, 422, "There is nobody for this work."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			carrier := &local.Transport{Workers: map[string]local.Worker{"a": func(ctx context.Context, _ *delivery.Message) error { return c.work(ctx) }}}
			got := carrier.Send(t.Context(), transport.Lane{}, &delivery.Message{URL: c.url, Timeout: 10 * time.Millisecond})
			if got.Class != c.class || got.Status != c.status || string(got.Response.Body) != c.body || got.StartedAt.IsZero() {
				t.Errorf("got %+v with %s", got, got.Response.Body)
			}
			if err := carrier.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWorkThatIsStoppedIsNotAnswered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	carrier := &local.Transport{Workers: map[string]local.Worker{"a": func(ctx context.Context, _ *delivery.Message) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}}}
	if got := carrier.Send(ctx, transport.Lane{}, &delivery.Message{URL: "a:1"}); got.Class != delivery.ClassStopped {
		t.Errorf("got %+v", got)
	}
}
