package spacelift

import (
	"cmp"
	"context"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
)

// module is the schema's Module.
type module struct {
	ID                     graphql.ID
	Name                   string
	Administrative         bool
	Branch                 string
	CreatedAt              int32
	Description            *string
	Labels                 []string
	LocalPreviewEnabled    bool
	ModuleShares           []*moduleShare
	Namespace              string
	ProjectRoot            *string
	GitSparseCheckoutPaths []string
	ProtectFromDeletion    bool
	Provider               string
	Public                 bool
	Repository             string
	RepositoryURL          *string
	RunnerImage            *string
	Space                  graphql.ID
	SpaceDetails           *space
	TerraformProvider      string
	VCSIntegration         *vcsIntegration
	WorkerPool             *workerPoolRef
	WorkflowTool           *string

	integrated
}

// moduleShare is never returned: modules are not shared (R13).
type moduleShare struct {
	ID       graphql.ID
	From, To *moduleShareScope
	Module   *moduleShareModule
}

type moduleShareScope struct {
	Account *moduleShareAccount
	Space   *moduleShareSpace
}

type moduleShareAccount struct{ Subdomain string }

type moduleShareSpace struct{ ID graphql.ID }

type moduleShareModule struct {
	Name        string
	Description *string
	Labels      []string
}

// newModule shows a workspace as a module.
func (c *call) newModule(ctx context.Context, w *estate.Workspace) (*module, error) {
	in, r := moduleInput{}, recordOf(w)
	if r.Module != nil {
		in = *r.Module
	}
	where, err := c.spaceOf(ctx, w.ProjectID)
	if err != nil {
		return nil, err
	}
	m := &module{
		ID: graphql.ID(stackIDOf(w)), Name: nameOf(w, &r), Administrative: in.Administrative, Branch: w.Branch,
		CreatedAt: secondsInt(w.CreatedAt), Description: descriptionOf(w, &r), Labels: list(w.Tags),
		LocalPreviewEnabled: value(in.LocalPreviewEnabled), ModuleShares: []*moduleShare{}, ProjectRoot: in.ProjectRoot,
		GitSparseCheckoutPaths: texts(in.GitSparseCheckoutPaths), ProtectFromDeletion: value(in.ProtectFromDeletion), Provider: vcsWord(w.VCS),
		RepositoryURL: in.RepositoryURL, RunnerImage: in.RunnerImage, Space: where.ID, SpaceDetails: where,
		TerraformProvider: cmp.Or(in.TerraformProvider, defaultProvider), VCSIntegration: newVCSIntegration(in.VCSIntegrationID),
		WorkerPool: newWorkerPoolRef(in.WorkerPool), WorkflowTool: orTool(in.WorkflowTool, toolTerraform), integrated: integrated{workspace: w.ID},
	}
	m.Namespace, m.Repository = splitRepository(w.Repository)
	return m, nil
}

// Module returns a module, null when there is none.
func (*root) Module(ctx context.Context, args struct{ ID graphql.ID }) (*module, error) {
	return ask(ctx, func(c *call) (*module, error) {
		w, err := c.findStack(ctx, string(args.ID))
		if w == nil || err != nil || !w.Module {
			return nil, err
		}
		return c.newModule(ctx, w)
	})
}

// Modules lists the modules by identifier.
func (*root) Modules(ctx context.Context) ([]*module, error) {
	return ask(ctx, func(c *call) ([]*module, error) {
		all, err := c.ofKind(ctx, true)
		if err != nil {
			return nil, err
		}
		return each(all, func(w *estate.Workspace) (*module, error) { return c.newModule(ctx, w) })
	})
}

// moduleUpdateInput is the part of ModuleCreateInput that can be changed.
type moduleUpdateInput struct {
	Administrative         bool
	Branch                 string
	Description            *string
	Labels                 *[]string
	LocalPreviewEnabled    *bool
	ProjectRoot            *string
	GitSparseCheckoutPaths *[]string
	ProtectFromDeletion    *bool
	RunnerImage            *string
	SharedAccounts         *[]string
	WorkerPool             *graphql.ID
	Space                  *string
}

type moduleCreateInput struct {
	UpdateInput       moduleUpdateInput
	Name              *string
	Namespace         *string
	Provider          *string
	Repository        string
	RepositoryURL     *string
	TerraformProvider *string
	Space             *string
	VCSIntegrationID  *graphql.ID
	WorkflowTool      *string
}

// modulePrefix begins the names of repositories that hold a module, and every module's identifier (§6).
const modulePrefix = "terraform-"

// moduleNames are a module's name and provider: those given, else those that its repository's name tells.
func (in *moduleCreateInput) moduleNames() (name, provider string) {
	name, provider = value(in.Name), value(in.TerraformProvider)
	if rest, ok := strings.CutPrefix(in.Repository, modulePrefix); ok {
		fromProvider, fromName, both := strings.Cut(rest, "-")
		if both {
			name, provider = cmp.Or(name, fromName), cmp.Or(provider, fromProvider)
		}
	}
	return name, cmp.Or(provider, defaultProvider)
}

// ModuleCreate makes a module (§6).
func (*root) ModuleCreate(ctx context.Context, args struct{ Input moduleCreateInput }) (*module, error) {
	return change(ctx, "moduleCreate", "module.create", args, func(c *call) (*module, string, error) {
		in, u := args.Input, args.Input.UpdateInput
		name, provider := in.moduleNames()
		record := moduleInput{
			Administrative: u.Administrative, Branch: u.Branch, Description: u.Description, Labels: u.Labels, LocalPreviewEnabled: u.LocalPreviewEnabled,
			Name: name, Namespace: in.Namespace, ProjectRoot: u.ProjectRoot, GitSparseCheckoutPaths: u.GitSparseCheckoutPaths,
			ProtectFromDeletion: u.ProtectFromDeletion, Provider: in.Provider, Repository: in.Repository, RepositoryURL: in.RepositoryURL,
			RunnerImage: u.RunnerImage, TerraformProvider: provider, WorkflowTool: in.WorkflowTool, VCSIntegrationID: in.VCSIntegrationID, WorkerPool: u.WorkerPool,
		}
		common := record.common()
		if common.space = in.Space; common.space == nil {
			common.space = u.Space
		}
		id := ""
		if part := slug(name); part != "" {
			id = slug(modulePrefix + provider + "-" + part)
		}
		w, err := c.makeStack(ctx, id, common, stackRecord{Module: &record})
		if err != nil {
			return nil, "", err
		}
		m, err := c.newModule(ctx, w)
		return m, id, err
	})
}

type moduleUpdateV2Input struct {
	Administrative         bool
	Branch                 string
	Description            *string
	Labels                 *[]string
	LocalPreviewEnabled    *bool
	Namespace              *string
	ProjectRoot            *string
	GitSparseCheckoutPaths *[]string
	ProtectFromDeletion    *bool
	Provider               *string
	Repository             string
	RepositoryURL          *string
	RunnerImage            *string
	SharedAccounts         *[]string
	Space                  *string
	VCSIntegrationID       *graphql.ID
	WorkerPool             *graphql.ID
	WorkflowTool           *string
}

// ModuleUpdateV2 changes a module; its name, provider and identifier stay.
func (*root) ModuleUpdateV2(ctx context.Context, args struct {
	ID    graphql.ID
	Input moduleUpdateV2Input
}) (*module, error) {
	return change(ctx, "moduleUpdateV2", "module.update", args, func(c *call) (*module, string, error) {
		in, id := args.Input, string(args.ID)
		known, err := c.findStack(ctx, id)
		switch {
		case err != nil:
			return nil, "", err
		case known == nil || !known.Module:
			return nil, "", noStack(id)
		}
		was := recordOf(known)
		provider := defaultProvider
		if was.Module != nil {
			provider = was.Module.TerraformProvider
		}
		record := moduleInput{
			Administrative: in.Administrative, Branch: in.Branch, Description: in.Description, Labels: in.Labels, LocalPreviewEnabled: in.LocalPreviewEnabled,
			Name: nameOf(known, &was), Namespace: in.Namespace, ProjectRoot: in.ProjectRoot, GitSparseCheckoutPaths: in.GitSparseCheckoutPaths,
			ProtectFromDeletion: in.ProtectFromDeletion, Provider: in.Provider, Repository: in.Repository, RepositoryURL: in.RepositoryURL,
			RunnerImage: in.RunnerImage, TerraformProvider: provider, WorkflowTool: in.WorkflowTool, VCSIntegrationID: in.VCSIntegrationID, WorkerPool: in.WorkerPool,
		}
		common := record.common()
		common.space = in.Space
		w, err := c.updateStack(ctx, id, true, common, func(r *stackRecord) { r.Module = &record })
		if err != nil {
			return nil, "", err
		}
		m, err := c.newModule(ctx, w)
		return m, id, err
	})
}

// ModuleDelete deletes a module with its webhooks; one that is gone gives null.
func (*root) ModuleDelete(ctx context.Context, args struct{ ID graphql.ID }) (*module, error) {
	return change(ctx, "moduleDelete", "module.delete", args, func(c *call) (*module, string, error) {
		w, err := c.findStack(ctx, string(args.ID))
		switch {
		case err != nil:
			return nil, "", err
		case w == nil || !w.Module:
			return nil, "", errAbsent
		}
		m, err := c.newModule(ctx, w)
		if err != nil {
			return nil, "", err
		}
		if m.ProtectFromDeletion {
			return nil, "", problem(`module "` + string(args.ID) + `" is protected from deletion`)
		}
		if m.gone, err = c.integrationsOf(ctx, w.ID); err != nil {
			return nil, "", err
		}
		return m, string(args.ID), c.Workspaces.Delete(ctx, c.who, w.ID)
	})
}
