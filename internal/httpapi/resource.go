package httpapi

import (
	"net/http"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

// resource serves the objects of one kind of the estate: T is the object, D the document that makes one, C the document
// that changes one (absent fields stay), V what an answer shows.
type resource[T, D, C, V any] struct {
	api        *api
	collection dialect.Collection[T]
	path       string // "/v1/projects/"
	drafts     *strict.Reader[D]
	changes    *strict.Reader[C]

	common  func(*T) *estate.Common
	find    func(c *call) (T, error)        // what the path names
	parent  func(c *call) (ident.ID, error) // whose children a list shows
	filters []string

	draft func(c *call, d D) (T, error)
	apply func(c *call, change C, object *T) error
	view  func(*T) V
}

func (s resource[T, D, C, V]) id(object *T) ident.ID { return s.common(object).ID }

func (s resource[T, D, C, V]) list(c *call) error {
	page := c.q.page(oldest)
	parent, err := s.parent(c)
	if err == nil {
		err = c.q.err()
	}
	if err != nil {
		return err
	}
	all, err := s.collection.List(c.r.Context(), c.p, parent)
	if err != nil {
		return err
	}
	if name := c.q.text("name"); name != "" {
		named := all[:0]
		for i := range all {
			if s.common(&all[i]).Name == name {
				named = append(named, all[i])
			}
		}
		all = named
	}
	return c.answer(http.StatusOK, cut(page, within(page, all, s.id), s.id, s.view))
}

func (s resource[T, D, C, V]) create(c *call) error {
	document, err := decode(c, s.drafts)
	if err != nil {
		return err
	}
	object, err := s.draft(c, document)
	if err != nil {
		return err
	}
	made, err := s.collection.Create(c.r.Context(), c.p, object)
	if err != nil {
		return err
	}
	return c.created(s.path+s.id(&made).String(), s.view(&made))
}

func (s resource[T, D, C, V]) get(c *call) error {
	object, err := s.find(c)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, s.view(&object))
}

func (s resource[T, D, C, V]) patch(c *call) error {
	object, err := s.find(c)
	if err != nil {
		return err
	}
	change, err := decode(c, s.changes)
	if err != nil {
		return err
	}
	changed, err := s.collection.Update(c.r.Context(), c.p, s.id(&object), func(o *T) error { return s.apply(c, change, o) })
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, s.view(&changed))
}

func (s resource[T, D, C, V]) delete(c *call) error {
	object, err := s.find(c)
	if err != nil {
		return err
	}
	if err := s.collection.Delete(c.r.Context(), c.p, s.id(&object)); err != nil {
		return err
	}
	return c.none()
}

// listed is the route of a list over all organizations, or the one that the query names.
func (s resource[T, D, C, V]) listed(path string) route {
	return route{pattern: "GET " + path, handle: s.list, query: paged(append([]string{"organization", "name"}, s.filters...)...)}
}

// routes are the five routes of the resource: collection is the path of the list, item the path of one.
func (s resource[T, D, C, V]) routes(collection, item string) []route {
	return []route{
		{pattern: "GET " + collection, handle: s.list, query: paged(append([]string{"name"}, s.filters...)...)},
		{pattern: "POST " + collection, handle: s.create},
		{pattern: "GET " + item, handle: s.get},
		{pattern: "PATCH " + item, handle: s.patch},
		{pattern: "DELETE " + item, handle: s.delete},
	}
}

// commonView is what every object shows.
type commonView struct {
	ID          ident.ID          `json:"id"`
	Name        string            `json:"name"`
	ExternalIDs map[string]string `json:"external_ids,omitempty"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

func viewCommon(o *estate.Common) commonView {
	return commonView{o.ID, o.Name, o.ExternalIDs, o.CreatedAt, o.UpdatedAt}
}

// set changes a field that the document names.
func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}
