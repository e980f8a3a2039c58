package httpapi

import (
	"net/http"

	document "carillon/api"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// whoami shows whose token it is and what it may do.
func (a *api) whoami(c *call) error {
	return c.answer(http.StatusOK, struct {
		Name      string         `json:"name"`
		TokenID   ident.ID       `json:"token_id,omitzero"`
		UserID    ident.ID       `json:"user_id,omitzero"`
		SiteAdmin bool           `json:"site_admin"`
		Grants    []estate.Grant `json:"grants"`
	}{c.p.Name, c.p.TokenID, c.p.UserID, c.p.SiteAdmin, nonNil(c.p.Grants)})
}

// version says what runs here; it needs no token.
func (a *api) version(c *call) error {
	return c.answer(http.StatusOK, struct {
		Product string `json:"product"`
		Version string `json:"version"`
		API     string `json:"api"`
	}{a.Services.Site.Product, a.Services.Site.Version, "v1"})
}

// dialectView is a way of notifying that subscriptions can choose.
type dialectView struct {
	Name     string                               `json:"name"`
	Title    string                               `json:"title"`
	Channels []subscription.Channel               `json:"channels"`
	Triggers map[subscription.Level][]triggerView `json:"triggers"` // by the level of a subscription's first scope
	Receives bool                                 `json:"receives"` // its platform's webhooks can come in
	Verifies bool                                 `json:"verifies"` // subscriptions can be verified
}

type triggerView struct {
	Value      string `json:"value"`
	Title      string `json:"title"`
	Group      string `json:"group,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

func viewDialect(d dialect.Dialect) dialectView {
	view := dialectView{Name: d.Name(), Title: d.Title(), Channels: nonNil(d.Channels()), Triggers: map[subscription.Level][]triggerView{}}
	_, view.Receives = d.(dialect.Receiver)
	_, view.Verifies = d.(dialect.Verifier)
	for _, level := range levels {
		for _, t := range d.Triggers(level) {
			view.Triggers[level] = append(view.Triggers[level], triggerView(t))
		}
	}
	return view
}

func (a *api) listDialects(c *call) error {
	answer := list[dialectView]{Items: []dialectView{}}
	for _, d := range a.Dialects {
		answer.Items = append(answer.Items, viewDialect(d))
	}
	return c.answer(http.StatusOK, answer)
}

// documentYAML serves the description of this API.
func (a *api) documentYAML(c *call) error {
	c.write(http.StatusOK, "application/yaml", document.YAML())
	return nil
}

// documentJSON serves it for programs that read no YAML.
func (a *api) documentJSON(c *call) error {
	body, err := document.JSON()
	if err != nil {
		return err
	}
	c.write(http.StatusOK, typeJSON, body)
	return nil
}
