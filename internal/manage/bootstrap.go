package manage

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// minConfigured is the least length of a token that an operator chooses: its hash is a fast one.
const minConfigured = 16

// firstToken is the ID of the token that an installation begins with: always the same, so that two nodes that start
// together make one.
func firstToken() ident.ID { return ident.Derive("token", "first") }

// Bootstrap makes the installation's first administrator token and returns its text, once: when any administrator token
// is there it makes none and returns "". A configured text becomes that token, replaces an earlier configured one, and
// is not returned.
func (m *Manage) Bootstrap(ctx context.Context, configured string) (made string, err error) {
	if configured != "" && (len(configured) < minConfigured || len(configured) > maxTokenText) {
		return "", fmt.Errorf("the administrator's token must have %d to %d characters", minConfigured, maxTokenText)
	}
	text := configured
	if text == "" {
		has, err := m.hasAdministrator(ctx)
		if err != nil || has {
			return "", err
		}
		if text, err = (Shape{}).text(); err != nil {
			return "", err
		}
	}
	stored, err := m.storeFirstToken(ctx, text)
	if err != nil || !stored || configured != "" {
		return "", err
	}
	return text, nil
}

// hasAdministrator reports whether there is an administrator token that still works.
func (m *Manage) hasAdministrator(ctx context.Context) (bool, error) {
	all, err := listAll[estate.Token](ctx, m, store.KindToken, 0)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		if t.SiteAdmin && (t.ExpiresAt.IsZero() || m.utcNow().Before(t.ExpiresAt)) {
			return true, nil
		}
	}
	return false, nil
}

// storeFirstToken writes the first token, and reports whether it was another before. A node that comes second leaves it
// to the first.
func (m *Manage) storeFirstToken(ctx context.Context, text string) (stored bool, err error) {
	now := m.utcNow()
	err = m.commit(ctx, func() ([]store.Change, error) {
		if _, err := m.store.ByName(ctx, store.KindToken, 0, hashToken(text)); !missing(err) {
			return nil, err
		}
		t := estate.Token{SiteAdmin: true}
		t.ID, t.Name, t.CreatedAt, t.UpdatedAt = firstToken(), "first administrator", now, now
		record, err := tokenRecord(&t, text)
		if err != nil {
			return nil, err
		}
		old, err := m.store.Get(ctx, store.KindToken, t.ID)
		switch {
		case err == nil:
			record.Revision = old.Revision
		case !missing(err):
			return nil, err
		}
		save := store.Change{Put: record, Expect: record.Revision}
		stored = true
		return []store.Change{save, m.Tokens().audited(estate.System(), "create", &t)}, nil
	})
	if errors.Is(err, store.ErrRevision) {
		return false, nil
	}
	return stored && err == nil, err
}
