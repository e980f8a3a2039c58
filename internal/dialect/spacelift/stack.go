package spacelift

import (
	"cmp"
	"context"
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// stackStateNone is the state of a stack that never ran (§4.2).
const stackStateNone = "NONE"

// stack is the schema's Stack. Fields that cost a read are methods.
type stack struct {
	ID                           graphql.ID
	Name                         string
	Administrative               bool
	AfterApply                   []string
	AfterDestroy                 []string
	AfterInit                    []string
	AfterPerform                 []string
	AfterPlan                    []string
	AfterRun                     []string
	Autodeploy                   bool
	Autoretry                    bool
	BeforeApply                  []string
	BeforeDestroy                []string
	BeforeInit                   []string
	BeforePerform                []string
	BeforePlan                   []string
	Blocker                      *runRef
	Branch                       string
	CanWrite                     bool
	CreatedAt                    int32
	Deleted                      bool
	Deleting                     bool
	Description                  *string
	IsDisabled                   bool
	GithubActionDeploy           bool
	Labels                       []string
	LocalPreviewEnabled          bool
	EnableWellKnownSecretMasking bool
	EnableSensitiveOutputUpload  bool
	LockedBy                     *string
	ManagesStateFile             bool
	Namespace                    string
	ProjectRoot                  *string
	AdditionalProjectGlobs       []string
	GitSparseCheckoutPaths       []string
	ProtectFromDeletion          bool
	Provider                     string
	Repository                   string
	RepositoryURL                *string
	RunnerImage                  *string
	Space                        graphql.ID
	SpaceDetails                 *space
	Starred                      bool
	TerraformVersion             *string
	TrackedCommit                *commit
	TrackedCommitSetBy           *string
	VCSIntegration               *vcsIntegration
	VendorConfig                 *vendor
	WorkerPool                   *workerPoolRef

	integrated
}

type runRef struct{ ID graphql.ID }

type workerPoolRef struct {
	ID   graphql.ID
	Name string
}

type vcsIntegration struct {
	ID        graphql.ID
	IsDefault bool
}

type commit struct {
	AuthorLogin *string
	AuthorName  string
	Hash        string
	Message     string
	Timestamp   int32
	URL         *string
}

// stackIDOf names a workspace as a stack or module.
func stackIDOf(w *estate.Workspace) string {
	return stackID(&event.Workspace{ID: w.ID, Name: w.Name, ExternalIDs: w.ExternalIDs})
}

// nameOf is a stack's name: the given one, as long as the workspace was not renamed elsewhere.
func nameOf(w *estate.Workspace, r *stackRecord) string {
	if r.Name != "" && r.WorkspaceNamed == w.Name {
		return r.Name
	}
	return w.Name
}

// descriptionOf tells an empty description from none, which clients do too.
func descriptionOf(w *estate.Workspace, r *stackRecord) *string {
	if w.Description == "" && (r.DescriptionIsNull || (r.Stack == nil && r.Module == nil)) {
		return nil
	}
	text := w.Description
	return &text
}

// splitRepository takes "owner/name" apart.
func splitRepository(full string) (namespace, name string) {
	i := strings.LastIndex(full, "/")
	if i < 0 {
		return "", full
	}
	return full[:i], full[i+1:]
}

// newStack shows a workspace as a stack.
func (c *call) newStack(ctx context.Context, w *estate.Workspace) (*stack, error) {
	in, r := stackInput{}, recordOf(w)
	if r.Stack != nil {
		in = *r.Stack
	}
	where, err := c.spaceOf(ctx, w.ProjectID)
	if err != nil {
		return nil, err
	}
	s := &stack{
		ID: graphql.ID(stackIDOf(w)), Name: nameOf(w, &r), Administrative: in.Administrative, AfterApply: texts(in.AfterApply),
		AfterDestroy: texts(in.AfterDestroy), AfterInit: texts(in.AfterInit), AfterPerform: texts(in.AfterPerform),
		AfterPlan: texts(in.AfterPlan), AfterRun: texts(in.AfterRun), Autodeploy: value(in.Autodeploy), Autoretry: value(in.Autoretry),
		BeforeApply: texts(in.BeforeApply), BeforeDestroy: texts(in.BeforeDestroy), BeforeInit: texts(in.BeforeInit),
		BeforePerform: texts(in.BeforePerform), BeforePlan: texts(in.BeforePlan), Branch: w.Branch, CanWrite: c.mayChange(w),
		CreatedAt: secondsInt(w.CreatedAt), Description: descriptionOf(w, &r), GithubActionDeploy: value(in.GithubActionDeploy),
		Labels: list(w.Tags), LocalPreviewEnabled: value(in.LocalPreviewEnabled),
		EnableWellKnownSecretMasking: value(in.EnableWellKnownSecretMasking), EnableSensitiveOutputUpload: value(in.EnableSensitiveOutputUpload),
		ManagesStateFile: r.ManagesState, ProjectRoot: in.ProjectRoot, AdditionalProjectGlobs: texts(in.AdditionalProjectGlobs),
		GitSparseCheckoutPaths: texts(in.GitSparseCheckoutPaths), ProtectFromDeletion: value(in.ProtectFromDeletion), Provider: vcsWord(w.VCS),
		RepositoryURL: in.RepositoryURL, RunnerImage: in.RunnerImage, Space: where.ID, SpaceDetails: where, VendorConfig: newVendor(in.VendorConfig),
		VCSIntegration: newVCSIntegration(in.VCSIntegrationID), WorkerPool: newWorkerPoolRef(in.WorkerPool), integrated: integrated{workspace: w.ID},
	}
	s.Namespace, s.Repository = splitRepository(w.Repository)
	if v := in.VendorConfig; v != nil && v.Terraform != nil {
		s.TerraformVersion = v.Terraform.Version
	}
	return s, nil
}

func (c *call) mayChange(w *estate.Workspace) bool {
	return c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: w.OrganizationID, ProjectID: w.ProjectID, WorkspaceID: w.ID})
}

func newVCSIntegration(id *graphql.ID) *vcsIntegration {
	if id == nil {
		return nil
	}
	return &vcsIntegration{ID: *id}
}

func newWorkerPoolRef(id *graphql.ID) *workerPoolRef {
	if id == nil {
		return nil
	}
	return &workerPoolRef{ID: *id, Name: string(*id)}
}

// State is the state of the stack's newest run.
func (s *stack) State(ctx context.Context) (string, error) {
	return ask(ctx, func(c *call) (string, error) {
		e, err := c.lastRun(ctx, s.workspace)
		if e == nil || err != nil {
			return stackStateNone, err
		}
		return lastWord(e), nil
	})
}

// StateSetAt is when it was reached.
func (s *stack) StateSetAt(ctx context.Context) (*int32, error) {
	return ask(ctx, func(c *call) (*int32, error) {
		e, err := c.lastRun(ctx, s.workspace)
		if e == nil || err != nil {
			return nil, err
		}
		at := secondsInt(e.OccurredAt)
		return &at, nil
	})
}

// lastRun returns the newest event of a run of the workspace, nil if there is none.
func (c *call) lastRun(ctx context.Context, workspace ident.ID) (*event.Event, error) {
	events, err := c.Events.List(ctx, c.who, store.EventFilter{
		Organizations: []ident.ID{c.account.ID}, Workspace: workspace, Kinds: []string{string(event.KindRun)},
	}, store.Page{Newest: true, Limit: 1})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return &events[0], nil
}

// lastWord is the state that a run's newest event left it in.
func lastWord(e *event.Event) string {
	return cmp.Or(stepOf(e).word, e.Run.Steps[Name].Word, stackStateNone)
}

// findStack finds a stack or module by its identifier, nil when there is none that the caller sees. An identifier that
// several workspaces would have means the oldest.
func (c *call) findStack(ctx context.Context, id string) (*estate.Workspace, error) {
	w, err := c.Workspaces.Get(ctx, c.who, estate.Ref{Parent: c.account.ID, Alias: estate.Alias(Name, id)})
	if err == nil {
		return &w, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	all, err := c.workspaces(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ExternalIDs[Name] == "" && stackIDOf(&all[i]) == id {
			return &all[i], nil
		}
	}
	return nil, nil
}

// Stack returns a stack, null when there is none.
func (*root) Stack(ctx context.Context, args struct{ ID graphql.ID }) (*stack, error) {
	return ask(ctx, func(c *call) (*stack, error) {
		w, err := c.findStack(ctx, string(args.ID))
		if w == nil || err != nil || w.Module {
			return nil, err
		}
		return c.newStack(ctx, w)
	})
}

// Stacks lists the stacks by identifier.
func (*root) Stacks(ctx context.Context) ([]*stack, error) {
	return ask(ctx, func(c *call) ([]*stack, error) {
		all, err := c.ofKind(ctx, false)
		if err != nil {
			return nil, err
		}
		return each(all, func(w *estate.Workspace) (*stack, error) { return c.newStack(ctx, w) })
	})
}

// ofKind lists the stacks or the modules by identifier.
func (c *call) ofKind(ctx context.Context, module bool) ([]*estate.Workspace, error) {
	all, err := c.workspaces(ctx)
	if err != nil {
		return nil, err
	}
	var found []*estate.Workspace
	for i := range all {
		if all[i].Module == module {
			found = append(found, &all[i])
		}
	}
	slices.SortStableFunc(found, func(a, b *estate.Workspace) int { return strings.Compare(stackIDOf(a), stackIDOf(b)) })
	return found, nil
}

// each shows every object of a list.
func each[T, V any](all []T, show func(T) (V, error)) ([]V, error) {
	views := make([]V, 0, len(all))
	for _, one := range all {
		v, err := show(one)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}
