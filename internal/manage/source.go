package manage

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const maxOptions = 50

// sourcePlace is the associated data under which a source's secret is sealed.
func sourcePlace(id ident.ID, field string) string { return "source/" + id.String() + "/" + field }

// Sources manages the doors through which platforms send their webhooks in. Managing them needs the admin role in the
// organization.
type Sources struct{ m *Manage }

// Sources returns the inbound sources.
func (m *Manage) Sources() Sources { return Sources{m} }

// Create makes a source. Without a secret one is made up, unless the source accepts unsigned requests. The secret is
// returned this once.
func (x Sources) Create(ctx context.Context, p estate.Principal, s estate.InboundSource, secret string) (estate.InboundSource, string, error) {
	if err := demand(p, estate.RoleAdmin, ofOrganization(s.OrganizationID), "organization", s.OrganizationID.String()); err != nil {
		return estate.InboundSource{}, "", err
	}
	if secret == "" && !s.Unsigned {
		secret = randomText(alphanumeric, secretLength)
	}
	if err := x.check(&s, secret); err != nil {
		return estate.InboundSource{}, "", err
	}
	now := x.m.utcNow()
	s.ID, s.CreatedAt, s.UpdatedAt, s.VerifiedAt = x.m.ids.New(), now, now, time.Time{}
	s.Secret, s.PriorSecret, s.PriorUntil = x.m.keyring.Seal(secret, sourcePlace(s.ID, fieldSecret)), "", time.Time{}
	err := x.m.retry(ctx, func() error {
		return x.m.commit(ctx, func() ([]store.Change, error) {
			organization, err := x.m.requireRecord(ctx, store.KindOrganization, s.OrganizationID, "/organization_id", "organization")
			if err != nil {
				return nil, err
			}
			record, err := sourceRecord(&s)
			if err != nil {
				return nil, err
			}
			return []store.Change{store.Insert(record), touch(organization), x.audited(p, "create", &s)}, nil
		})
	})
	if err != nil {
		return estate.InboundSource{}, "", err
	}
	return s, secret, nil
}

func sourceRecord(s *estate.InboundSource) (*store.Record, error) {
	body, err := encode(s)
	if err != nil {
		return nil, err
	}
	return &store.Record{
		Kind: store.KindSource, ID: s.ID, Parent: s.OrganizationID, Name: s.Name,
		Aliases: aliases(s.ExternalIDs, s.OrganizationID), Body: body,
	}, nil
}

func (x Sources) check(s *estate.InboundSource, secret string) error {
	var faults fault.Collector
	checkName(&faults, "/name", s.Name)
	checkCommon(&faults, &s.Common)
	if _, ok := x.m.dialects[s.Dialect].(dialect.Receiver); !ok {
		faults.Add("/dialect", "The dialect %q does not exist or has no webhooks to receive.", clip(s.Dialect))
	}
	if s.Project != "" {
		checkName(&faults, "/project", s.Project)
	}
	if len(secret) > maxSecret {
		faults.Add("/secret", "The secret is too long (maximum is %d bytes).", maxSecret)
	}
	if secret == "" && !s.Unsigned {
		faults.Add("/secret", "Without a secret the source must be allowed to accept unsigned requests.")
	}
	if len(s.Options) > maxOptions {
		faults.Add("/options", "There are too many options (maximum is %d).", maxOptions)
	}
	for name, value := range s.Options {
		checkName(&faults, "/options", name)
		checkText(&faults, "/options/"+name, value)
	}
	return faults.Err()
}

// Get returns a source by ID, name in its organization, or external identifier.
func (x Sources) Get(ctx context.Context, p estate.Principal, ref estate.Ref) (estate.InboundSource, error) {
	s, _, err := x.find(ctx, p, ref)
	if err != nil {
		return estate.InboundSource{}, err
	}
	return *s, nil
}

// find returns a source that the principal may read.
func (x Sources) find(ctx context.Context, p estate.Principal, ref estate.Ref) (*estate.InboundSource, store.Record, error) {
	if err := x.m.current(ctx); err != nil {
		return nil, store.Record{}, err
	}
	var r store.Record
	var err error
	switch {
	case ref.ID != 0:
		r, err = x.m.store.Get(ctx, store.KindSource, ref.ID)
	case ref.Alias != "":
		r, err = x.m.byAliasFor(ctx, p, store.KindSource, ref)
	default:
		r, err = x.m.store.ByName(ctx, store.KindSource, ref.Parent, ref.Name)
	}
	if missing(err) {
		return nil, r, fault.Missing("source", refText(ref))
	}
	if err != nil {
		return nil, r, fmt.Errorf("read the source: %w", err)
	}
	s, err := decode[estate.InboundSource](&r)
	if err != nil {
		return nil, r, err
	}
	if !p.May(estate.RoleReader, ofOrganization(s.OrganizationID)) {
		return nil, r, fault.Missing("source", refText(ref))
	}
	return s, r, nil
}

// List lists the sources of an organization, or of all that the principal may read when it is zero, oldest first.
func (x Sources) List(ctx context.Context, p estate.Principal, organization ident.ID) ([]estate.InboundSource, error) {
	all, err := listIn[estate.InboundSource](ctx, x.m, store.KindSource, p, organization)
	if err != nil {
		return nil, err
	}
	found := make([]estate.InboundSource, 0, len(all))
	for _, s := range oldestFirst(all, func(s *estate.InboundSource) ident.ID { return s.ID }) {
		if p.May(estate.RoleReader, ofOrganization(s.OrganizationID)) {
			found = append(found, s)
		}
	}
	return found, nil
}

// Update changes a source. The secret that change gets is empty: what it leaves there becomes the new secret, nothing
// keeps the present one. The one before goes on opening the door for the overlap.
func (x Sources) Update(ctx context.Context, p estate.Principal, id ident.ID, overlap time.Duration, change func(s *estate.InboundSource, secret *string) error) (estate.InboundSource, error) {
	var updated estate.InboundSource
	err := x.m.retry(ctx, func() error {
		s, r, err := x.find(ctx, p, estate.ByID(id))
		if err != nil {
			return err
		}
		if !p.May(estate.RoleAdmin, ofOrganization(s.OrganizationID)) {
			return forbidden(estate.RoleAdmin)
		}
		old := *s
		var secret string
		if err := change(s, &secret); err != nil {
			return err
		}
		if err := x.revise(s, &old, secret, overlap); err != nil {
			return err
		}
		updated = *s
		return x.m.commit(ctx, func() ([]store.Change, error) {
			record, err := sourceRecord(s)
			if err != nil {
				return nil, err
			}
			record.Revision = r.Revision
			return []store.Change{store.Update(record), x.audited(p, "update", s)}, nil
		})
	})
	return updated, err
}

// revise puts back what nobody may change, rotates the secret, and checks the result.
func (x Sources) revise(s, old *estate.InboundSource, secret string, overlap time.Duration) error {
	s.ID, s.OrganizationID, s.CreatedAt, s.UpdatedAt = old.ID, old.OrganizationID, old.CreatedAt, x.m.utcNow()
	s.Secret, s.PriorSecret, s.PriorUntil = old.Secret, old.PriorSecret, old.PriorUntil
	was, err := x.m.keyring.Open(old.Secret, sourcePlace(old.ID, fieldSecret))
	if err != nil {
		return fmt.Errorf("open the secret of source %s: %w", old.ID, err)
	}
	if secret == "" {
		return x.check(s, was)
	}
	s.PriorSecret, s.PriorUntil = "", time.Time{}
	if overlap > 0 && was != "" {
		s.PriorSecret = x.m.keyring.Seal(was, sourcePlace(s.ID, fieldPrior))
		s.PriorUntil = x.m.utcNow().Add(overlap)
	}
	s.Secret = x.m.keyring.Seal(secret, sourcePlace(s.ID, fieldSecret))
	return x.check(s, secret)
}

// Delete removes a source; requests to it are then answered like those to one that never was.
func (x Sources) Delete(ctx context.Context, p estate.Principal, id ident.ID) error {
	return x.m.retry(ctx, func() error {
		s, r, err := x.find(ctx, p, estate.ByID(id))
		if err != nil {
			return err
		}
		if !p.May(estate.RoleAdmin, ofOrganization(s.OrganizationID)) {
			return forbidden(estate.RoleAdmin)
		}
		return x.m.commit(ctx, func() ([]store.Change, error) {
			return []store.Change{drop(&r), x.audited(p, "delete", s)}, nil
		})
	})
}

func (x Sources) audited(p estate.Principal, action string, s *estate.InboundSource) store.Change {
	return x.m.audit(p, AuditEntry{
		Action: action, Kind: string(store.KindSource), ObjectID: s.ID, Name: s.Name, OrganizationID: s.OrganizationID,
	})
}
