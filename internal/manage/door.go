package manage

import (
	"context"
	"fmt"
	"maps"
	"time"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Door is what is needed to judge a request at an inbound source. It holds secrets and must not be logged.
type Door struct {
	Source       estate.InboundSource
	Organization event.Organization
	Secrets      []string // the present one, then the one before while it still counts
}

// String hides the secrets, so that a stray %v leaks nothing.
func (d Door) String() string { return "door " + d.Source.ID.String() }

// GoString hides the secrets, so that a stray %#v leaks nothing.
func (d Door) GoString() string { return d.String() }

// Door returns what is needed to judge a request at a source. No principal asks: the request's signature decides. What
// it looks up for every request comes from memory.
func (x Sources) Door(ctx context.Context, id ident.ID) (Door, error) {
	s, err := byID[estate.InboundSource](ctx, x.m, store.KindSource, id)
	if missing(err) {
		return Door{}, fault.Missing("source", id.String())
	}
	if err != nil {
		return Door{}, err
	}
	organization, err := byID[estate.Organization](ctx, x.m, store.KindOrganization, s.OrganizationID)
	if missing(err) {
		return Door{}, fault.Missing("source", id.String())
	}
	if err != nil {
		return Door{}, err
	}
	door := Door{Source: *s, Organization: event.Organization{ID: organization.ID, Name: organization.Name}}
	door.Source.Options = maps.Clone(s.Options)
	if err := x.open(&door); err != nil {
		return Door{}, fmt.Errorf("open the secrets of source %s: %w", id, err)
	}
	return door, nil
}

func (x Sources) open(door *Door) error {
	s := &door.Source
	secret, err := x.m.keyring.Open(s.Secret, sourcePlace(s.ID, fieldSecret))
	if err != nil {
		return err
	}
	if secret != "" {
		door.Secrets = append(door.Secrets, secret)
	}
	if !x.m.utcNow().Before(s.PriorUntil) {
		return nil
	}
	prior, err := x.m.keyring.Open(s.PriorSecret, sourcePlace(s.ID, fieldPrior))
	if err == nil && prior != "" {
		door.Secrets = append(door.Secrets, prior)
	}
	return err
}

// MarkVerified notes that the platform verified a source.
func (x Sources) MarkVerified(ctx context.Context, id ident.ID, at time.Time) error {
	return x.m.retry(ctx, func() error {
		r, err := x.m.store.Get(ctx, store.KindSource, id)
		if missing(err) {
			return fault.Missing("source", id.String())
		}
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		s, err := decode[estate.InboundSource](&r)
		if err != nil {
			return err
		}
		s.VerifiedAt = at.UTC()
		if r.Body, err = encode(s); err != nil {
			return err
		}
		return x.m.commit(ctx, func() ([]store.Change, error) { return []store.Change{store.Update(&r)}, nil })
	})
}
