package httpapi

import (
	"net/http"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

type sourceDraft struct {
	Organization string            `json:"organization"`
	Name         string            `json:"name"`
	Dialect      string            `json:"dialect"`
	Secret       string            `json:"secret"`   // made up when absent
	Unsigned     bool              `json:"unsigned"` // accept requests without a signature
	Project      string            `json:"project"`
	Options      map[string]string `json:"options"`
}

type sourceChange struct {
	Name                 *string            `json:"name"`
	Secret               *string            `json:"secret"`
	SecretOverlapSeconds int64              `json:"secret_overlap_seconds"`
	Unsigned             *bool              `json:"unsigned"`
	Project              *string            `json:"project"`
	Options              *map[string]string `json:"options"`
}

var (
	sourceDrafts  = strict.For[sourceDraft]()
	sourceChanges = strict.For[sourceChange]()
)

// sourceView is what an answer shows of a source. Secret is shown in the answer that made it, and never again.
type sourceView struct {
	commonView
	OrganizationID ident.ID          `json:"organization_id"`
	Dialect        string            `json:"dialect"`
	URL            string            `json:"url"` // where the platform is to send to
	Secret         string            `json:"secret,omitempty"`
	HasSecret      bool              `json:"has_secret"`
	RotatingUntil  time.Time         `json:"rotating_until,omitzero"`
	Unsigned       bool              `json:"unsigned"`
	Project        string            `json:"project,omitempty"`
	Options        map[string]string `json:"options,omitempty"`
	VerifiedAt     time.Time         `json:"verified_at,omitzero"`
}

func (a *api) viewSource(s *estate.InboundSource) sourceView {
	view := sourceView{
		commonView: viewCommon(&s.Common), OrganizationID: s.OrganizationID, Dialect: s.Dialect,
		URL: a.Services.Site.BaseURL + "/in/" + s.ID.String(), HasSecret: s.Secret != "", Unsigned: s.Unsigned,
		Project: s.Project, Options: s.Options, VerifiedAt: s.VerifiedAt,
	}
	if s.PriorSecret != "" {
		view.RotatingUntil = s.PriorUntil
	}
	return view
}

func sourceID(s *estate.InboundSource) ident.ID { return s.ID }

func (a *api) listSources(c *call) error {
	page := c.q.page(oldest)
	organization, err := a.organizationOfQuery(c)
	if err == nil {
		err = c.q.err()
	}
	if err != nil {
		return err
	}
	all, err := a.Sources.List(c.r.Context(), c.p, organization)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, within(page, all, sourceID), sourceID, a.viewSource))
}

// createSource makes a door and shows its secret this once.
func (a *api) createSource(c *call) error {
	d, err := decode(c, sourceDrafts)
	if err != nil {
		return err
	}
	o, err := a.organization(c, d.Organization)
	if fault.Is(err, fault.NotFound) {
		return fault.At("/organization", "There is no organization %q, or you may not see it.", d.Organization)
	}
	if err != nil {
		return err
	}
	if a.dialects[d.Dialect] == nil {
		return fault.At("/dialect", "%s", unknownWord(d.Dialect, a.names))
	}
	made, secret, err := a.Sources.Create(c.r.Context(), c.p, estate.InboundSource{
		Common: estate.Common{Name: d.Name}, OrganizationID: o.ID, Dialect: d.Dialect, Unsigned: d.Unsigned, Project: d.Project,
		Options: d.Options,
	}, d.Secret)
	if err != nil {
		return err
	}
	view := a.viewSource(&made)
	view.Secret = secret
	c.w.Header().Set("Cache-Control", "no-store")
	return c.created("/v1/sources/"+made.ID.String(), view)
}

func (a *api) getSource(c *call) error {
	s, err := byPath(c, a.Sources, "source")
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, a.viewSource(&s))
}

func (a *api) patchSource(c *call) error {
	id, err := c.pathID("source", "source")
	if err != nil {
		return err
	}
	d, err := decode(c, sourceChanges)
	if err != nil {
		return err
	}
	if d.SecretOverlapSeconds < 0 || d.SecretOverlapSeconds > int64(maxOverlap/time.Second) {
		return fault.At("/secret_overlap_seconds", "Must be between 0 and %d.", int64(maxOverlap/time.Second))
	}
	overlap := time.Duration(d.SecretOverlapSeconds) * time.Second
	s, err := a.Sources.Update(c.r.Context(), c.p, id, overlap, func(s *estate.InboundSource, secret *string) error {
		set(&s.Name, d.Name)
		set(secret, d.Secret)
		set(&s.Unsigned, d.Unsigned)
		set(&s.Project, d.Project)
		set(&s.Options, d.Options)
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, a.viewSource(&s))
}

func (a *api) deleteSource(c *call) error {
	id, err := c.pathID("source", "source")
	if err != nil {
		return err
	}
	if err := a.Sources.Delete(c.r.Context(), c.p, id); err != nil {
		return err
	}
	return c.none()
}
