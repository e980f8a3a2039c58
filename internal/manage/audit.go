package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// maxAudit bounds the audit log of the installation, whatever its age.
const maxAudit = 100_000

// AuditEntry is one line of the audit log: who did what to which object. It is written in the transaction of what it
// tells of.
type AuditEntry struct {
	ID             ident.ID  `json:"id"`
	At             time.Time `json:"at"`
	OrganizationID ident.ID  `json:"organization_id,omitzero"` // zero for what concerns the installation
	Actor          string    `json:"actor"`
	TokenID        ident.ID  `json:"token_id,omitzero"`
	UserID         ident.ID  `json:"user_id,omitzero"`
	Action         string    `json:"action"` // "create", "update", "delete", "switch_off", "redeliver", …
	Kind           string    `json:"kind"`   // of the object
	ObjectID       ident.ID  `json:"object_id"`
	Name           string    `json:"name,omitempty"`
	Detail         string    `json:"detail,omitempty"`
}

// AuditLog reads the audit log.
type AuditLog struct{ m *Manage }

// Audit returns the audit log.
func (m *Manage) Audit() AuditLog { return AuditLog{m} }

// List lists the entries of an organization to its owners, newest first when the page says so. The zero organization
// lists everything, to the installation's administrators.
func (l AuditLog) List(ctx context.Context, p estate.Principal, organization ident.ID, page store.Page) ([]AuditEntry, error) {
	switch {
	case organization == 0 && !p.SiteAdmin:
		return nil, forbiddenButSite()
	case organization != 0:
		if err := demand(p, estate.RoleOwner, ofOrganization(organization), "organization", organization.String()); err != nil {
			return nil, err
		}
	}
	records, err := l.m.store.List(ctx, store.KindAudit, organization, page)
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", err)
	}
	entries := make([]AuditEntry, 0, len(records))
	for i := range records {
		entry, err := decode[AuditEntry](&records[i])
		if err != nil {
			return nil, err
		}
		entries = append(entries, *entry)
	}
	return entries, nil
}

// audit returns the change that writes an entry.
func (m *Manage) audit(p estate.Principal, entry AuditEntry) store.Change {
	entry.ID, entry.At = m.ids.New(), m.utcNow()
	entry.Actor, entry.TokenID, entry.UserID = p.Name, p.TokenID, p.UserID
	body, _ := json.Marshal(entry) // of strings, numbers and a time: it can not fail
	return store.Insert(&store.Record{Kind: store.KindAudit, ID: entry.ID, Parent: entry.OrganizationID, Body: body})
}

// Entry returns the change that writes an entry, for what is kept as records elsewhere: it belongs into the transaction of
// what it tells of.
func (m *Manage) Entry(p estate.Principal, entry AuditEntry) store.Change { return m.audit(p, entry) }

// note writes an entry by itself, for what changes no record.
func (m *Manage) note(ctx context.Context, p estate.Principal, entry AuditEntry) error {
	return m.commit(ctx, func() ([]store.Change, error) { return []store.Change{m.audit(p, entry)}, nil })
}
