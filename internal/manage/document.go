package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
)

// documentKinds are the kinds of record that dialects may keep. Everything else belongs to this package.
var documentKinds = []store.Kind{store.KindEndpoint, store.KindPolicy, store.KindSetting}

const (
	maxDocument = 1 << 20
	maxSecrets  = 50 // secrets beside one document
)

// document is how a dialect's document is stored: with the place that decides over it, and its sealed secrets.
type document struct {
	ProjectID   ident.ID               `json:"project_id,omitzero"`
	WorkspaceID ident.ID               `json:"workspace_id,omitzero"`
	Secrets     map[string]seal.Sealed `json:"secrets,omitempty"`
	Body        json.RawMessage        `json:"body"`
}

// place is where the document stands.
func (d *document) place(organization ident.ID) estate.Place {
	return estate.Place{OrganizationID: organization, ProjectID: d.ProjectID, WorkspaceID: d.WorkspaceID}
}

// documentPlace is the associated data under which a document's secret is sealed.
func documentPlace(kind store.Kind, id ident.ID, field string) string {
	return string(kind) + "/" + id.String() + "/" + field
}

type documents struct{ m *Manage }

type sealedDocuments struct{ m *Manage }

var (
	_ dialect.Documents       = documents{}
	_ dialect.SealedDocuments = sealedDocuments{}
)

// Put stores a document at a place. A record without an ID is new; one with a revision replaces exactly that revision.
// The record's parent is the organization; its name, if any, is unique there among its kind.
func (x documents) Put(ctx context.Context, p estate.Principal, at estate.Place, r store.Record) (store.Record, error) {
	return x.m.putDocument(ctx, p, at, r, nil)
}

// Get returns a document of the place's organization.
func (x documents) Get(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) (store.Record, error) {
	r, d, err := x.m.readDocument(ctx, p, at, kind, id)
	if err != nil {
		return store.Record{}, err
	}
	return unwrap(r, d), nil
}

// List lists the documents at a place and below it that the principal may read, oldest first.
func (x documents) List(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind) ([]store.Record, error) {
	if err := checkDocumentKind(kind); err != nil {
		return nil, err
	}
	if !p.Sees(ofOrganization(at.OrganizationID)) {
		return nil, fault.Missing("organization", at.OrganizationID.String())
	}
	found := []store.Record{}
	if at.OrganizationID == 0 {
		return found, nil
	}
	err := x.m.each(ctx, kind, at.OrganizationID, func(r *store.Record) error {
		d, err := decode[document](r)
		if err != nil {
			return err
		}
		inside := (at.ProjectID == 0 || at.ProjectID == d.ProjectID) && (at.WorkspaceID == 0 || at.WorkspaceID == d.WorkspaceID)
		if inside && p.May(estate.RoleReader, d.place(r.Parent)) {
			found = append(found, unwrap(*r, d))
		}
		return nil
	})
	return found, err
}

// Delete removes a document.
func (x documents) Delete(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) error {
	return x.m.retry(ctx, func() error {
		r, d, err := x.m.readDocument(ctx, p, at, kind, id)
		if err != nil {
			return err
		}
		if err := demand(p, estate.RoleAdmin, d.place(r.Parent), string(kind), id.String()); err != nil {
			return err
		}
		if err := x.m.current(ctx); err != nil {
			return err
		}
		return x.m.commit(ctx, func() ([]store.Change, error) {
			return []store.Change{drop(&r), x.m.auditDocument(p, "delete", &r)}, x.m.refuseFollowed(kind, id)
		})
	})
}

// Put is documents.Put with secrets.
func (x sealedDocuments) Put(ctx context.Context, p estate.Principal, at estate.Place, r store.Record, secrets map[string]string) (store.Record, error) {
	return x.m.putDocument(ctx, p, at, r, secrets)
}

// Reveal returns a document's secrets to those who may change it.
func (x sealedDocuments) Reveal(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) (map[string]string, error) {
	r, d, err := x.m.readDocument(ctx, p, at, kind, id)
	if err != nil {
		return nil, err
	}
	if err := demand(p, estate.RoleAdmin, d.place(r.Parent), string(kind), id.String()); err != nil {
		return nil, err
	}
	return x.m.openDocument(kind, id, d)
}

// openDocument returns a document's secrets in the clear.
func (m *Manage) openDocument(kind store.Kind, id ident.ID, d *document) (map[string]string, error) {
	plain := make(map[string]string, len(d.Secrets))
	for field, sealed := range d.Secrets {
		text, err := m.keyring.Open(sealed, documentPlace(kind, id, field))
		if err != nil {
			return nil, fmt.Errorf("open a secret of %s %s: %w", kind, id, err)
		}
		plain[field] = text
	}
	return plain, nil
}

// readDocument reads a document that the principal may read.
func (m *Manage) readDocument(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) (store.Record, *document, error) {
	if err := checkDocumentKind(kind); err != nil {
		return store.Record{}, nil, err
	}
	r, err := m.store.Get(ctx, kind, id)
	if missing(err) || (err == nil && at.OrganizationID != 0 && r.Parent != at.OrganizationID) {
		return r, nil, fault.Missing(string(kind), id.String())
	}
	if err != nil {
		return r, nil, fmt.Errorf("read %s: %w", kind, err)
	}
	d, err := decode[document](&r)
	if err != nil {
		return r, nil, err
	}
	if !p.May(estate.RoleReader, d.place(r.Parent)) {
		return r, nil, fault.Missing(string(kind), id.String())
	}
	return r, d, nil
}

func (m *Manage) auditDocument(p estate.Principal, action string, r *store.Record) store.Change {
	return m.audit(p, AuditEntry{Action: action, Kind: string(r.Kind), ObjectID: r.ID, Name: r.Name, OrganizationID: r.Parent})
}

// unwrap gives a document the shape in which the dialect stored it.
func unwrap(r store.Record, d *document) store.Record {
	r.Body = d.Body
	r.Aliases = slices.Clone(r.Aliases)
	for i, alias := range r.Aliases {
		r.Aliases[i] = strings.TrimPrefix(alias, aliasIn(r.Parent, ""))
	}
	return r
}

func checkDocumentKind(kind store.Kind) error {
	if !slices.Contains(documentKinds, kind) {
		return fmt.Errorf("records of kind %q are not a dialect's documents", kind)
	}
	return nil
}
