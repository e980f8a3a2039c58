package manage

import (
	"context"
	"encoding/json"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
)

// putDocument stores a document and the secrets that are named.
func (m *Manage) putDocument(ctx context.Context, p estate.Principal, at estate.Place, r store.Record, secrets map[string]string) (store.Record, error) {
	if err := checkDocument(&r, secrets); err != nil {
		return store.Record{}, err
	}
	if err := demand(p, estate.RoleAdmin, at, "organization", at.OrganizationID.String()); err != nil {
		return store.Record{}, err
	}
	if r.ID == 0 {
		r.ID = m.ids.New()
		err := m.retry(ctx, func() error {
			return m.saveDocument(ctx, p, at, &r, &document{}, "create", 0, secrets)
		})
		return r, err
	}
	asked := r.Revision
	err := m.retry(ctx, func() error {
		if err := m.current(ctx); err != nil {
			return err
		}
		old, d, err := m.readDocument(ctx, p, at, r.Kind, r.ID)
		if err != nil {
			return err
		}
		if err := demand(p, estate.RoleAdmin, d.place(old.Parent), string(r.Kind), r.ID.String()); err != nil {
			return err
		}
		if asked != 0 && asked != old.Revision {
			return fault.New(fault.Conflict, "Somebody else changed this meanwhile. Read it again and repeat your change.")
		}
		return m.saveDocument(ctx, p, at, &r, d, "update", old.Revision, secrets)
	})
	return r, err
}

// saveDocument writes a document in place of one with the revision, 0 for none, and tells r its new revision.
func (m *Manage) saveDocument(ctx context.Context, p estate.Principal, at estate.Place, r *store.Record, d *document, action string, revision int64, secrets map[string]string) error {
	moved := action == "create" || d.place(at.OrganizationID) != at
	d.ProjectID, d.WorkspaceID, d.Body = at.ProjectID, at.WorkspaceID, r.Body
	m.sealDocument(d, r.Kind, r.ID, secrets)
	body, err := encode(d)
	if err != nil {
		return err
	}
	stored := &store.Record{
		Kind: r.Kind, ID: r.ID, Parent: at.OrganizationID, Name: r.Name, Body: body, Revision: revision,
	}
	for _, alias := range r.Aliases {
		stored.Aliases = append(stored.Aliases, aliasIn(at.OrganizationID, alias))
	}
	r.Parent = at.OrganizationID
	r.Revision, err = m.commitAt(ctx, func() ([]store.Change, error) {
		save := store.Update(stored)
		if revision == 0 {
			save = store.Insert(stored)
		}
		changes := []store.Change{save, m.auditDocument(p, action, stored)}
		if r.Kind == store.KindEndpoint && revision != 0 {
			led, err := m.lead(ctx, p, r.ID, d)
			if err != nil {
				return nil, err
			}
			changes = append(changes, led...)
		}
		if !moved {
			return changes, nil
		}
		held, err := m.holdPlace(ctx, at)
		return append(changes, held...), err
	})
	return err
}

// holdPlace returns the conditions that keep a place from being deleted at the same moment, and refuses one that does
// not exist.
func (m *Manage) holdPlace(ctx context.Context, at estate.Place) ([]store.Change, error) {
	organization, err := m.requireRecord(ctx, store.KindOrganization, at.OrganizationID, "/organization_id", "organization")
	if err != nil {
		return nil, err
	}
	changes := []store.Change{touch(organization)}
	if at.ProjectID != 0 {
		project, err := m.requireRecord(ctx, store.KindProject, at.ProjectID, "/project_id", "project")
		if err != nil {
			return nil, err
		}
		if project.Parent != at.OrganizationID {
			return nil, fault.At("/project_id", "There is no project %q in the organization.", at.ProjectID)
		}
		changes = append(changes, touch(project))
	}
	if at.WorkspaceID != 0 {
		workspace, err := m.requireRecord(ctx, store.KindWorkspace, at.WorkspaceID, "/workspace_id", "workspace")
		if err != nil {
			return nil, err
		}
		if workspace.Parent != at.ProjectID {
			return nil, fault.At("/workspace_id", "There is no workspace %q in the project.", at.WorkspaceID)
		}
		changes = append(changes, touch(workspace))
	}
	return changes, nil
}

// sealDocument replaces the secrets that are named.
func (m *Manage) sealDocument(d *document, kind store.Kind, id ident.ID, secrets map[string]string) {
	for field, plain := range secrets {
		if plain == "" {
			delete(d.Secrets, field)
			continue
		}
		if d.Secrets == nil {
			d.Secrets = make(map[string]seal.Sealed)
		}
		d.Secrets[field] = m.keyring.Seal(plain, documentPlace(kind, id, field))
	}
}

func checkDocument(r *store.Record, secrets map[string]string) error {
	if err := checkDocumentKind(r.Kind); err != nil {
		return err
	}
	var faults fault.Collector
	if r.Name != "" {
		checkName(&faults, "/name", r.Name)
	}
	if len(r.Body) > maxDocument || !json.Valid(r.Body) {
		faults.Add("", "A document must be JSON of at most %d bytes.", maxDocument)
	}
	if len(secrets) > maxSecrets {
		faults.Add("/secrets", "There are too many secrets (maximum is %d).", maxSecrets)
	}
	for field, plain := range secrets {
		if len(plain) > maxSecret {
			faults.Add("/secrets/"+field, "The secret is too long (maximum is %d bytes).", maxSecret)
		}
	}
	return faults.Err()
}
