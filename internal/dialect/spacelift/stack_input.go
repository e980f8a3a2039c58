package spacelift

import (
	"cmp"
	"encoding/json"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
)

// stackInput is the schema's StackInput. Every field is kept and given back (§6).
type stackInput struct {
	Administrative               bool
	AfterApply                   *[]string
	AfterDestroy                 *[]string
	AfterInit                    *[]string
	AfterPerform                 *[]string
	AfterPlan                    *[]string
	AfterRun                     *[]string
	Autodeploy                   *bool
	Autoretry                    *bool
	BeforeApply                  *[]string
	BeforeDestroy                *[]string
	BeforeInit                   *[]string
	BeforePerform                *[]string
	BeforePlan                   *[]string
	Branch                       string
	Description                  *string
	GithubActionDeploy           *bool
	Labels                       *[]string
	LocalPreviewEnabled          *bool
	EnableWellKnownSecretMasking *bool
	EnableSensitiveOutputUpload  *bool
	Name                         string
	Namespace                    *string
	ProjectRoot                  *string
	AdditionalProjectGlobs       *[]string
	GitSparseCheckoutPaths       *[]string
	ProtectFromDeletion          *bool
	Provider                     *string
	Repository                   string
	RepositoryURL                *string
	RunnerImage                  *string
	Space                        *string
	VCSIntegrationID             *graphql.ID
	VendorConfig                 *vendorInput
	WorkerPool                   *graphql.ID
}

// vendorInput is the schema's VendorConfigInput: at most one of its members is set.
type vendorInput struct {
	Ansible        *ansibleInput
	CloudFormation *cloudFormationInput
	Kubernetes     *kubernetesInput
	Opentofu       *openTofuInput
	Pulumi         *pulumiInput
	Terraform      *terraformInput
	Terragrunt     *terragruntInput
}

type ansibleInput struct{ Playbook string }

type cloudFormationInput struct{ EntryTemplateFile, Region, StackName, TemplateBucket string }

type kubernetesInput struct {
	Namespace              string
	KubectlVersion         *string
	KubernetesWorkflowTool *string
}

type openTofuInput struct {
	Concise                    *bool
	ExternalStateAccessEnabled *bool
	UseSmartSanitization       *bool
	Version                    *string
	WorkflowTool               *string
	Workspace                  *string
}

type pulumiInput struct{ LoginURL, StackName string }

type terraformInput struct {
	UseSmartSanitization       *bool
	Version                    *string
	WorkflowTool               *string
	Workspace                  *string
	ExternalStateAccessEnabled *bool
}

type terragruntInput struct {
	TerraformVersion                  *string
	TerragruntVersion                 *string
	UseRunAll                         bool
	UseSmartSanitization              bool
	UseStateManagement                *bool
	SkipReplanWhenRunAll              *bool
	SkipReplan                        *bool
	PrefixResourceNamesWithModuleName *bool
	Tool                              *string
}

// moduleInput is what modules are made and changed with. ModuleCreateInput and ModuleUpdateV2Input name the same things.
type moduleInput struct {
	Administrative         bool
	Branch                 string
	Description            *string
	Labels                 *[]string
	LocalPreviewEnabled    *bool
	Name                   string
	Namespace              *string
	ProjectRoot            *string
	GitSparseCheckoutPaths *[]string
	ProtectFromDeletion    *bool
	Provider               *string
	Repository             string
	RepositoryURL          *string
	RunnerImage            *string
	TerraformProvider      string
	WorkflowTool           *string
	VCSIntegrationID       *graphql.ID
	WorkerPool             *graphql.ID
}

// stackRecord is what a stack or module has beyond a workspace. Name is its name as given: a workspace's must be unique in
// its project, a stack's need not be.
type stackRecord struct {
	Name              string       `json:"name,omitempty"`
	ManagesState      bool         `json:"manages_state,omitempty"`
	Stack             *stackInput  `json:"stack,omitempty"`
	Module            *moduleInput `json:"module,omitempty"`
	WorkspaceNamed    string       `json:"workspace_named,omitempty"` // what the workspace was called when Name was given
	DescriptionIsNull bool         `json:"description_is_null,omitempty"`
}

// recordOf reads a workspace's record; a workspace that came from elsewhere has an empty one.
func recordOf(w *estate.Workspace) stackRecord {
	var r stackRecord
	if raw := w.Extra[Name]; len(raw) > 0 {
		_ = json.Unmarshal(raw, &r) // what can not be read is not there
	}
	return r
}

// keep writes a record into its workspace.
func (r stackRecord) keep(w *estate.Workspace) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if w.Extra == nil {
		w.Extra = map[string]json.RawMessage{}
	}
	w.Extra[Name] = raw
	return nil
}

// common is what stacks and modules have an effect with (§6).
type common struct {
	name, repository, branch                string
	description, namespace, provider, space *string
	labels                                  *[]string
}

// fill writes it into a workspace. Its repository is "owner/name", as bodies have it.
func (in common) fill(w *estate.Workspace) {
	w.Description, w.Tags, w.Branch = value(in.description), texts(in.labels), in.branch
	w.Repository = strings.TrimPrefix(value(in.namespace)+"/"+in.repository, "/")
	w.VCS = strings.ToLower(cmp.Or(value(in.provider), defaultVCS))
}

// defaultVCS is the provider of a stack that names none.
const defaultVCS = "GITHUB"

func (in stackInput) common() common {
	return common{
		name: in.Name, repository: in.Repository, branch: in.Branch, description: in.Description, namespace: in.Namespace,
		provider: in.Provider, space: in.Space, labels: in.Labels,
	}
}

func (in moduleInput) common() common {
	return common{
		name: in.Name, repository: in.Repository, branch: in.Branch, description: in.Description, namespace: in.Namespace,
		provider: in.Provider, labels: in.Labels,
	}
}
