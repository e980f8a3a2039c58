package spacelift

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Kinds and engines of policies that mean something here (§4.4).
const (
	policyNotification = "NOTIFICATION"
	engineV0           = "REGO_V0"
	engineV1           = "REGO_V1"
)

// policyRecord is a policy as it is stored. Bodies are kept byte for byte: clients compare them (§5.5).
type policyRecord struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Body        string    `json:"body"`
	Type        string    `json:"type"`
	Engine      string    `json:"engine"`
	Description string    `json:"description,omitempty"`
	Labels      []string  `json:"labels,omitempty"`
	Project     ident.ID  `json:"project"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`

	record store.Record
}

// policy is the schema's Policy.
type policy struct {
	ID           graphql.ID
	Name         string
	Body         string
	Type         string
	Space        graphql.ID
	SpaceDetails *space
	CreatedAt    int32
	UpdatedAt    int32
	Description  string
	Labels       []string
	EngineType   string
}

// policyPrefix keeps this dialect's policies apart from others' in the index of names.
const policyPrefix = Name + "/"

// decodePolicy reads a stored policy; ok is false for another dialect's.
func decodePolicy(r store.Record) (p policyRecord, ok bool, err error) {
	if !strings.HasPrefix(r.Name, policyPrefix) {
		return p, false, nil
	}
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return p, false, fmt.Errorf("read policy %s: %w", r.ID, err)
	}
	p.record = r
	return p, true, nil
}

// policyRecords lists the policies that the caller may read, by identifier.
func (c *call) policyRecords(ctx context.Context) ([]policyRecord, error) {
	m := &c.memory
	return recall(m, &m.policies, &m.have.policies, func() ([]policyRecord, error) {
		records, err := c.Documents.List(ctx, c.who, estate.Place{OrganizationID: c.account.ID}, store.KindPolicy)
		if err != nil {
			return nil, err
		}
		var found []policyRecord
		for _, r := range records {
			p, ok, err := decodePolicy(r)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, p)
			}
		}
		slices.SortFunc(found, func(a, b policyRecord) int { return strings.Compare(a.ID, b.ID) })
		return found, nil
	})
}

// place is where the account's own documents stand.
func (c *call) place() estate.Place { return estate.Place{OrganizationID: c.account.ID} }

func (c *call) newPolicy(ctx context.Context, p *policyRecord) (*policy, error) {
	where, err := c.spaceOf(ctx, p.Project)
	if err != nil {
		return nil, err
	}
	return &policy{
		ID: graphql.ID(p.ID), Name: p.Name, Body: p.Body, Type: p.Type, Space: where.ID, SpaceDetails: where, CreatedAt: secondsInt(p.CreatedAt),
		UpdatedAt: secondsInt(p.UpdatedAt), Description: p.Description, Labels: list(p.Labels), EngineType: p.Engine,
	}, nil
}

// policy finds a policy, nil when there is none that the caller may read.
func (c *call) policy(ctx context.Context, id string) (*policyRecord, error) {
	all, err := c.policyRecords(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, nil
}

// Policy returns a policy, null when there is none.
func (*root) Policy(ctx context.Context, args struct{ ID graphql.ID }) (*policy, error) {
	return ask(ctx, func(c *call) (*policy, error) {
		p, err := c.policy(ctx, string(args.ID))
		if p == nil || err != nil {
			return nil, err
		}
		return c.newPolicy(ctx, p)
	})
}

// Policies lists the policies.
func (*root) Policies(ctx context.Context) ([]*policy, error) {
	return ask(ctx, func(c *call) ([]*policy, error) {
		all, err := c.policyRecords(ctx)
		if err != nil {
			return nil, err
		}
		return each(all, func(p policyRecord) (*policy, error) { return c.newPolicy(ctx, &p) })
	})
}

// policyCreateInput is the schema's PolicyCreateInput.
type policyCreateInput struct {
	Name        string
	Body        string
	Type        string
	Labels      *[]string
	Space       *graphql.ID
	Description *string
	EngineType  *string
}

// PolicyCreatev2 makes a policy. Notification policies must compile; others are kept and never run (§5.5).
func (*root) PolicyCreatev2(ctx context.Context, args struct{ Input policyCreateInput }) (*policy, error) {
	return change(ctx, "policyCreatev2", "policy.create", args, func(c *call) (*policy, string, error) {
		in := args.Input
		p := policyRecord{
			Name: in.Name, Body: in.Body, Type: in.Type, Engine: cmp.Or(value(in.EngineType), engineV0), Description: value(in.Description),
			Labels: texts(in.Labels), CreatedAt: c.Now().UTC(), UpdatedAt: c.Now().UTC(),
		}
		project, err := c.checkPolicy(ctx, &p, idText(in.Space))
		if err != nil {
			return nil, "", err
		}
		p.Project = project
		if p.ID, err = c.freePolicyID(ctx, in.Name); err != nil {
			return nil, "", err
		}
		if err := c.savePolicy(ctx, &p); err != nil {
			return nil, "", err
		}
		if err := c.listen(ctx, &p); err != nil {
			// A policy that does not listen would be kept for nothing.
			return nil, "", errors.Join(err, c.Documents.Delete(ctx, c.who, c.place(), store.KindPolicy, p.record.ID))
		}
		shown, err := c.newPolicy(ctx, &p)
		return shown, p.ID, err
	})
}

// checkPolicy checks a policy and returns the project of its space, legacy when it names none (§5.4).
func (c *call) checkPolicy(ctx context.Context, p *policyRecord, space *string) (ident.ID, error) {
	if slug(p.Name) == "" || len(p.Name) > nameLimit {
		return 0, errName
	}
	project, err := c.placeIn(ctx, space)
	if err != nil {
		return 0, err
	}
	if p.Type == policyNotification {
		if err := c.checkRego(ctx, p); err != nil {
			return 0, err
		}
	}
	return project.ID, nil
}

// freePolicyID makes an identifier of a name: its slug, with a ULID behind it when somebody has it (§6).
func (c *call) freePolicyID(ctx context.Context, name string) (string, error) {
	all := &call{api: c.api, who: estate.System(), account: c.account}
	id := slug(name)
	taken, err := all.policy(ctx, id)
	if taken != nil {
		id += "-" + strings.ToLower(newULID(c.Now()))
	}
	return id, err
}

func (c *call) savePolicy(ctx context.Context, p *policyRecord) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	r := p.record
	r.Kind, r.Name, r.Body = store.KindPolicy, policyPrefix+p.ID, body
	p.record, err = c.Documents.Put(ctx, c.who, estate.Place{OrganizationID: c.account.ID, ProjectID: p.Project}, r)
	return err
}

// policyUpdateInput is the schema's PolicyUpdateInput.
type policyUpdateInput struct {
	Name        string
	Body        string
	Labels      *[]string
	Space       *graphql.ID
	Description *string
	EngineType  *string
}

// PolicyUpdatev2 changes a policy: a null space and engine stay, a null description and null labels are cleared (§5.4).
func (*root) PolicyUpdatev2(ctx context.Context, args struct {
	ID    graphql.ID
	Input policyUpdateInput
}) (*policy, error) {
	return change(ctx, "policyUpdatev2", "policy.update", args, func(c *call) (*policy, string, error) {
		in, id := args.Input, string(args.ID)
		known, err := c.policy(ctx, id)
		switch {
		case err != nil:
			return nil, "", err
		case known == nil:
			return nil, "", problem(`policy "` + id + `" does not exist`)
		}
		p := *known
		p.Name, p.Body, p.Labels, p.Description, p.UpdatedAt = in.Name, in.Body, texts(in.Labels), value(in.Description), c.Now().UTC()
		p.Engine = cmp.Or(value(in.EngineType), p.Engine)
		space := idText(in.Space)
		if space == nil {
			where, err := c.spaceOf(ctx, p.Project)
			if err != nil {
				return nil, "", err
			}
			text := string(where.ID)
			space = &text
		}
		if p.Project, err = c.checkPolicy(ctx, &p, space); err != nil {
			return nil, "", err
		}
		if err := c.savePolicy(ctx, &p); err != nil {
			return nil, "", err
		}
		if err := c.listen(ctx, &p); err != nil {
			return nil, "", err
		}
		shown, err := c.newPolicy(ctx, &p)
		return shown, id, err
	})
}

// PolicyDelete deletes a policy; one that is gone gives null.
func (*root) PolicyDelete(ctx context.Context, args struct{ ID graphql.ID }) (*policy, error) {
	return change(ctx, "policyDelete", "policy.delete", args, func(c *call) (*policy, string, error) {
		p, err := c.policy(ctx, string(args.ID))
		switch {
		case err != nil:
			return nil, "", err
		case p == nil:
			return nil, "", errAbsent
		}
		shown, err := c.newPolicy(ctx, p)
		if err != nil {
			return nil, "", err
		}
		if err := c.silence(ctx, p); err != nil {
			return nil, "", err
		}
		return shown, p.ID, c.Documents.Delete(ctx, c.who, c.place(), store.KindPolicy, p.record.ID)
	})
}
