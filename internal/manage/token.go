package manage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	maxTokenText = 512
	maxGrants    = 200
	hintLength   = 4
)

// Tokens manages API tokens and finds out who asks. Only a hash of a token's text is kept; the text is shown once, when
// the token is made.
type Tokens struct{ m *Manage }

// Tokens returns the tokens.
func (m *Manage) Tokens() Tokens { return Tokens{m} }

// Create makes a token and returns it with its text. Installation administrators make any token. Others make tokens for
// places that they own, and tokens of their own user that may do no more than themselves. A token with a user and without
// grants has the rights of its user's memberships.
func (x Tokens) Create(ctx context.Context, p estate.Principal, t estate.Token, shape Shape) (estate.Token, string, error) {
	if err := x.m.current(ctx); err != nil {
		return estate.Token{}, "", err
	}
	if err := x.check(ctx, &t); err != nil {
		return estate.Token{}, "", err
	}
	if err := x.mayCreate(p, &t); err != nil {
		return estate.Token{}, "", err
	}
	text, err := shape.text()
	if err != nil {
		return estate.Token{}, "", err
	}
	now := x.m.utcNow()
	t.ID, t.CreatedAt, t.UpdatedAt, t.LastUsedAt = x.m.ids.New(), now, now, time.Time{}
	err = x.m.commit(ctx, func() ([]store.Change, error) {
		record, err := tokenRecord(&t, text)
		if err != nil {
			return nil, err
		}
		return []store.Change{store.Insert(record), x.audited(p, "create", &t)}, nil
	})
	if err != nil {
		return estate.Token{}, "", err
	}
	t.Hash = ""
	return t, text, nil
}

// tokenRecord gives a token its hash and hint. The hash is the name by which the token is found.
func tokenRecord(t *estate.Token, text string) (*store.Record, error) {
	t.Hash, t.Hint = hashToken(text), text[max(0, len(text)-hintLength):]
	body, err := encode(t)
	if err != nil {
		return nil, err
	}
	return &store.Record{Kind: store.KindToken, ID: t.ID, Name: t.Hash, Body: body}, nil
}

func hashToken(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (x Tokens) check(ctx context.Context, t *estate.Token) error {
	var faults fault.Collector
	checkName(&faults, "/name", t.Name)
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(x.m.utcNow()) {
		faults.Add("/expires_at", "The token would have expired already.")
	}
	if len(t.Grants) > maxGrants {
		faults.Add("/grants", "There are too many grants (maximum is %d).", maxGrants)
	}
	if len(t.Grants) == 0 && t.UserID == 0 && !t.SiteAdmin {
		faults.Add("/grants", "A token without a user needs at least one grant.")
	}
	for i, g := range t.Grants {
		pointer := "/grants/" + strconv.Itoa(i)
		if !g.Role.Valid() {
			faults.Add(pointer+"/role", "%q is not a role; there are %q.", clip(string(g.Role)), estate.Roles())
		}
		if err := x.checkGrant(ctx, &faults, pointer, g); err != nil {
			return err
		}
	}
	if t.UserID != 0 {
		if _, err := x.m.requireRecord(ctx, store.KindUser, t.UserID, "/user_id", "user"); err != nil {
			return err
		}
	}
	return faults.Err()
}

// checkGrant refuses a grant whose places do not belong together.
func (x Tokens) checkGrant(ctx context.Context, faults *fault.Collector, pointer string, g estate.Grant) error {
	if _, err := byID[estate.Organization](ctx, x.m, store.KindOrganization, g.OrganizationID); missing(err) {
		faults.Add(pointer+"/organization_id", "There is no organization %q.", g.OrganizationID)
		return nil
	} else if err != nil {
		return err
	}
	if g.ProjectID != 0 {
		project, err := byID[estate.Project](ctx, x.m, store.KindProject, g.ProjectID)
		if missing(err) || (err == nil && project.OrganizationID != g.OrganizationID) {
			faults.Add(pointer+"/project_id", "There is no project %q in the organization.", g.ProjectID)
		} else if err != nil {
			return err
		}
	}
	if g.WorkspaceID != 0 {
		workspace, err := byID[estate.Workspace](ctx, x.m, store.KindWorkspace, g.WorkspaceID)
		if missing(err) || (err == nil && (workspace.OrganizationID != g.OrganizationID || (g.ProjectID != 0 && workspace.ProjectID != g.ProjectID))) {
			faults.Add(pointer+"/workspace_id", "There is no workspace %q there.", g.WorkspaceID)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (x Tokens) mayCreate(p estate.Principal, t *estate.Token) error {
	if p.SiteAdmin {
		return nil
	}
	if t.SiteAdmin {
		return forbiddenButSite()
	}
	own := t.UserID != 0 && t.UserID == p.UserID
	if len(t.Grants) == 0 {
		// It would have all rights of its user: only the user, with all those rights at hand, may make it.
		if own && x.hasAll(p, x.m.directory.grants(t.UserID)) {
			return nil
		}
		return forbiddenButSite()
	}
	for _, g := range t.Grants {
		if t.UserID != 0 && !own && !x.m.directory.belongs(t.UserID, g.OrganizationID) {
			return fault.Missing("user", t.UserID.String())
		}
		if own && p.May(g.Role, placeOfGrant(g)) {
			continue
		}
		if err := demand(p, estate.RoleOwner, placeOfGrant(g), "organization", g.OrganizationID.String()); err != nil {
			return err
		}
	}
	return nil
}

// hasAll reports whether the principal has every right of the grants.
func (x Tokens) hasAll(p estate.Principal, grants []estate.Grant) bool {
	for _, g := range grants {
		if !p.May(g.Role, placeOfGrant(g)) {
			return false
		}
	}
	return true
}

func placeOfGrant(g estate.Grant) estate.Place {
	return estate.Place{OrganizationID: g.OrganizationID, ProjectID: g.ProjectID, WorkspaceID: g.WorkspaceID}
}

// List lists the tokens that the principal may revoke, oldest first. Hashes are left out.
func (x Tokens) List(ctx context.Context, p estate.Principal) ([]estate.Token, error) {
	all, err := listAll[estate.Token](ctx, x.m, store.KindToken, 0)
	if err != nil {
		return nil, err
	}
	found := make([]estate.Token, 0, len(all))
	for _, t := range all {
		if x.mayRevoke(p, &t) {
			t.Hash = ""
			found = append(found, t)
		}
	}
	return found, nil
}

// Revoke removes a token. It stops working at once on this node and, on others, with their next Refresh.
func (x Tokens) Revoke(ctx context.Context, p estate.Principal, id ident.ID) error {
	return x.m.retry(ctx, func() error {
		r, err := x.m.store.Get(ctx, store.KindToken, id)
		if missing(err) {
			return fault.Missing("token", id.String())
		}
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		t, err := decode[estate.Token](&r)
		if err != nil {
			return err
		}
		if !x.mayRevoke(p, t) {
			return fault.Missing("token", id.String())
		}
		return x.m.commit(ctx, func() ([]store.Change, error) {
			return []store.Change{drop(&r), x.audited(p, "revoke", t)}, nil
		})
	})
}

// mayRevoke lets one revoke one's own token and user's tokens, and owners what was granted at their places.
func (x Tokens) mayRevoke(p estate.Principal, t *estate.Token) bool {
	if p.SiteAdmin || (p.TokenID != 0 && p.TokenID == t.ID) || (p.UserID != 0 && p.UserID == t.UserID) {
		return true
	}
	if t.SiteAdmin || len(t.Grants) == 0 {
		return false
	}
	for _, g := range t.Grants {
		if !p.May(estate.RoleOwner, placeOfGrant(g)) {
			return false
		}
	}
	return true
}

// audited notes a token in the log of its only organization, or of the installation.
func (x Tokens) audited(p estate.Principal, action string, t *estate.Token) store.Change {
	entry := AuditEntry{Action: action, Kind: string(store.KindToken), ObjectID: t.ID, Name: t.Name}
	for i, g := range t.Grants {
		if i == 0 {
			entry.OrganizationID = g.OrganizationID
		} else if entry.OrganizationID != g.OrganizationID {
			entry.OrganizationID = 0
		}
	}
	return x.m.audit(p, entry)
}
