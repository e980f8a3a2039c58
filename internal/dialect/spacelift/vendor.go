package spacelift

// vendor is the schema's union StackConfigVendor: exactly one of its members is set.
type vendor struct {
	ansible        *vendorAnsible
	cloudFormation *vendorCloudFormation
	kubernetes     *vendorKubernetes
	openTofu       *vendorOpenTofu
	pulumi         *vendorPulumi
	terraform      *vendorTerraform
	terragrunt     *vendorTerragrunt
}

type vendorAnsible struct{ Playbook string }

type vendorCloudFormation struct{ EntryTemplateFile, Region, StackName, TemplateBucket string }

type vendorKubernetes struct {
	Namespace              string
	KubectlVersion         *string
	KubernetesWorkflowTool *string
}

type vendorOpenTofu struct {
	Concise                    bool
	ExternalStateAccessEnabled bool
	UseSmartSanitization       bool
	Version                    *string
	WorkflowTool               *string
	Workspace                  *string
}

type vendorPulumi struct{ LoginURL, StackName string }

type vendorTerraform struct {
	ExternalStateAccessEnabled bool
	UseSmartSanitization       bool
	Version                    *string
	WorkflowTool               *string
	Workspace                  *string
}

type vendorTerragrunt struct {
	TerraformVersion                  *string
	TerragruntVersion                 *string
	UseRunAll                         bool
	UseSmartSanitization              bool
	UseStateManagement                bool
	PrefixResourceNamesWithModuleName bool
	SkipReplanWhenRunAll              bool
	SkipReplan                        bool
	Tool                              string
}

// Tools that are used when none is named (§6).
const (
	toolTerraform  = "TERRAFORM_FOSS"
	toolOpenTofu   = "OPENTOFU"
	toolKubernetes = "KUBERNETES"
)

func orTool(given *string, otherwise string) *string {
	if given == nil {
		return &otherwise
	}
	return given
}

// newVendor shows what a stack was made with, Terraform when it says nothing.
func newVendor(in *vendorInput) *vendor {
	switch {
	case in == nil:
	case in.Ansible != nil:
		v := vendorAnsible(*in.Ansible)
		return &vendor{ansible: &v}
	case in.CloudFormation != nil:
		v := vendorCloudFormation(*in.CloudFormation)
		return &vendor{cloudFormation: &v}
	case in.Kubernetes != nil:
		k := in.Kubernetes
		return &vendor{kubernetes: &vendorKubernetes{
			Namespace: k.Namespace, KubectlVersion: k.KubectlVersion, KubernetesWorkflowTool: orTool(k.KubernetesWorkflowTool, toolKubernetes),
		}}
	case in.Opentofu != nil:
		o := in.Opentofu
		return &vendor{openTofu: &vendorOpenTofu{
			Concise: value(o.Concise), ExternalStateAccessEnabled: value(o.ExternalStateAccessEnabled),
			UseSmartSanitization: value(o.UseSmartSanitization), Version: o.Version, WorkflowTool: orTool(o.WorkflowTool, toolOpenTofu), Workspace: o.Workspace,
		}}
	case in.Pulumi != nil:
		v := vendorPulumi(*in.Pulumi)
		return &vendor{pulumi: &v}
	case in.Terragrunt != nil:
		return &vendor{terragrunt: newTerragrunt(in.Terragrunt)}
	}
	t := &terraformInput{}
	if in != nil && in.Terraform != nil {
		t = in.Terraform
	}
	return &vendor{terraform: &vendorTerraform{
		ExternalStateAccessEnabled: value(t.ExternalStateAccessEnabled), UseSmartSanitization: value(t.UseSmartSanitization),
		Version: t.Version, WorkflowTool: orTool(t.WorkflowTool, toolTerraform), Workspace: t.Workspace,
	}}
}

func newTerragrunt(t *terragruntInput) *vendorTerragrunt {
	return &vendorTerragrunt{
		TerraformVersion: t.TerraformVersion, TerragruntVersion: t.TerragruntVersion, UseRunAll: t.UseRunAll,
		UseSmartSanitization: t.UseSmartSanitization, UseStateManagement: value(t.UseStateManagement),
		PrefixResourceNamesWithModuleName: value(t.PrefixResourceNamesWithModuleName), SkipReplanWhenRunAll: value(t.SkipReplanWhenRunAll),
		SkipReplan: value(t.SkipReplan), Tool: *orTool(t.Tool, toolTerraform),
	}
}

// ToStackConfigVendorAnsible and its siblings are how the executor learns which member is set.
func (v *vendor) ToStackConfigVendorAnsible() (*vendorAnsible, bool) {
	return v.ansible, v.ansible != nil
}

// ToStackConfigVendorCloudFormation is set for CloudFormation.
func (v *vendor) ToStackConfigVendorCloudFormation() (*vendorCloudFormation, bool) {
	return v.cloudFormation, v.cloudFormation != nil
}

// ToStackConfigVendorKubernetes is set for Kubernetes.
func (v *vendor) ToStackConfigVendorKubernetes() (*vendorKubernetes, bool) {
	return v.kubernetes, v.kubernetes != nil
}

// ToStackConfigVendorOpenTofu is set for OpenTofu.
func (v *vendor) ToStackConfigVendorOpenTofu() (*vendorOpenTofu, bool) {
	return v.openTofu, v.openTofu != nil
}

// ToStackConfigVendorPulumi is set for Pulumi.
func (v *vendor) ToStackConfigVendorPulumi() (*vendorPulumi, bool) { return v.pulumi, v.pulumi != nil }

// ToStackConfigVendorTerraform is set for Terraform.
func (v *vendor) ToStackConfigVendorTerraform() (*vendorTerraform, bool) {
	return v.terraform, v.terraform != nil
}

// ToStackConfigVendorTerragrunt is set for Terragrunt.
func (v *vendor) ToStackConfigVendorTerragrunt() (*vendorTerragrunt, bool) {
	return v.terragrunt, v.terragrunt != nil
}
