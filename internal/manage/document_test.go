package manage_test

import (
	"testing"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/store"
)

func TestDocuments(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	docs := s.Services().Documents
	top, inOne := estate.Place{OrganizationID: s.acme.ID}, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID}
	first := must[store.Record](t)(docs.Put(s.ctx, admin, inOne, store.Record{
		Kind: store.KindEndpoint, Name: "a", Aliases: []string{"plain:ep-1"}, Body: []byte(`{"n":1}`),
	}))
	wide := must[store.Record](t)(docs.Put(s.ctx, admin, top, store.Record{Kind: store.KindEndpoint, Body: []byte(`{"n":2}`)}))
	got := must[store.Record](t)(docs.Get(s.ctx, admin, top, store.KindEndpoint, first.ID))
	if string(got.Body) != `{"n":1}` || got.Revision != first.Revision || got.Name != "a" || len(got.Aliases) != 1 || got.Aliases[0] != "plain:ep-1" || got.Parent != s.acme.ID {
		t.Errorf("got = %+v, put = %+v", got, first)
	}

	got.Body = []byte(`{"n":3}`)
	second := must[store.Record](t)(docs.Put(s.ctx, admin, inOne, got))
	_, err := docs.Put(s.ctx, admin, inOne, first) // with the revision before
	wantCode(t, err, fault.Conflict)
	second.Revision = 0 // whatever is there
	must[store.Record](t)(docs.Put(s.ctx, admin, inOne, second))

	ofOne, reader := as(estate.RoleAdmin, s.acme.ID, s.one.ID, 0), as(estate.RoleReader, s.acme.ID, 0, 0)
	for name, c := range map[string]struct {
		p    estate.Principal
		at   estate.Place
		want int
	}{
		"all": {admin, top, 2}, "of the project": {admin, inOne, 1}, "a reader": {reader, top, 2},
		"the project's admin": {ofOne, top, 1}, "of another project": {admin, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.two.ID}, 0},
	} {
		if list := must[[]store.Record](t)(docs.List(s.ctx, c.p, c.at, store.KindEndpoint)); len(list) != c.want {
			t.Errorf("%s: %d documents, want %d", name, len(list), c.want)
		}
	}
	stranger := as(estate.RoleOwner, s.beta.ID, 0, 0)
	cases := map[string]struct {
		want fault.Code
		do   func() error
	}{
		"reading a wider one":                       {fault.NotFound, func() error { _, err := docs.Get(s.ctx, ofOne, top, wide.Kind, wide.ID); return err }},
		"writing as a reader":                       {fault.Forbidden, func() error { _, err := docs.Put(s.ctx, reader, top, wide); return err }},
		"moving a wider one into one's own project": {fault.NotFound, func() error { _, err := docs.Put(s.ctx, ofOne, inOne, wide); return err }},
		"deleting as a reader":                      {fault.Forbidden, func() error { return docs.Delete(s.ctx, reader, top, wide.Kind, wide.ID) }},
		"deleting as a stranger": {fault.NotFound, func() error {
			return docs.Delete(s.ctx, stranger, estate.Place{OrganizationID: s.beta.ID}, wide.Kind, wide.ID)
		}},
		"listing as a stranger":  {fault.NotFound, func() error { _, err := docs.List(s.ctx, stranger, top, wide.Kind); return err }},
		"another kind of record": {fault.Internal, func() error { _, err := docs.Get(s.ctx, admin, top, store.KindToken, 1); return err }},
		"no JSON": {fault.Invalid, func() error {
			_, err := docs.Put(s.ctx, admin, top, store.Record{Kind: store.KindPolicy, Body: []byte(`{`)})
			return err
		}},
		"the name of another": {fault.Conflict, func() error {
			_, err := docs.Put(s.ctx, admin, top, store.Record{Kind: store.KindEndpoint, Name: "a", Body: []byte(`{}`)})
			return err
		}},
		"the identifier of another": {fault.Conflict, func() error {
			_, err := docs.Put(s.ctx, admin, top, store.Record{Kind: store.KindEndpoint, Aliases: []string{"plain:ep-1"}, Body: []byte(`{}`)})
			return err
		}},
		"the name in another organization": {"", func() error {
			_, err := docs.Put(s.ctx, admin, estate.Place{OrganizationID: s.beta.ID}, store.Record{Kind: store.KindEndpoint, Name: "a", Aliases: []string{"plain:ep-1"}, Body: []byte(`{}`)})
			return err
		}},
		"an unknown workspace": {fault.Invalid, func() error {
			_, err := docs.Put(s.ctx, admin, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID, WorkspaceID: 42}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)})
			return err
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { wantCode(t, c.do(), c.want) })
	}
	if err := docs.Delete(s.ctx, ofOne, inOne, first.Kind, first.ID); err != nil {
		t.Fatal(err)
	}
	_, err = docs.Get(s.ctx, admin, top, first.Kind, first.ID)
	wantCode(t, err, fault.NotFound)
}

func TestSecretsBesideDocuments(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	sealed, docs := s.Services().Sealed, s.Services().Documents
	top := estate.Place{OrganizationID: s.acme.ID}
	doc := must[store.Record](t)(sealed.Put(s.ctx, admin, top, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)}, map[string]string{"a": "1", "b": "2"}))
	doc = must[store.Record](t)(docs.Put(s.ctx, admin, top, doc)) // leaves the secrets alone
	must[store.Record](t)(sealed.Put(s.ctx, admin, top, doc, map[string]string{"b": "", "c": "3"}))
	plain, err := sealed.Reveal(s.ctx, admin, top, doc.Kind, doc.ID)
	if err != nil || len(plain) != 2 || plain["a"] != "1" || plain["c"] != "3" {
		t.Errorf("%d secrets, %v", len(plain), err)
	}
	_, err = sealed.Reveal(s.ctx, as(estate.RoleReader, s.acme.ID, 0, 0), top, doc.Kind, doc.ID)
	wantCode(t, err, fault.Forbidden)
	_, err = sealed.Reveal(s.ctx, as(estate.RoleOwner, s.beta.ID, 0, 0), top, doc.Kind, doc.ID)
	wantCode(t, err, fault.NotFound)
}
