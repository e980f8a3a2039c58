package spacelift_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	updateSpace  = `mutation($input:SpaceInput!$space:ID!){spaceUpdate(space: $space, input: $input){id,name,parentSpace,inheritEntities,labels,description}}`
	deleteSpace  = `mutation($id:ID!){spaceDelete(space: $id){id}}`
	createModule = `mutation($input:ModuleCreateInput!){moduleCreate(input: $input){id,name,terraformProvider,repository}}`
	updatePolicy = `mutation($id:ID!$input:PolicyUpdateInput!){policyUpdatev2(id: $id, input: $input){id,labels,name,body,type,space,description,engineType}}`
)

func (p *platform) space(t *testing.T, name, parent string) string {
	t.Helper()
	return p.run(t, createSpace, object{"input": spaceInput(name, parent)}).(object)["id"].(string)
}

// TestSpaces is section 6, and trap 4.
func TestSpaces(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	same(t, "at first", p.run(t, `{spaces{id,name,parentSpace,inheritEntities,accessLevel}}`, nil), []object{
		{"id": "legacy", "name": "legacy", "parentSpace": "root", "inheritEntities": true, "accessLevel": "ADMIN"},
		{"id": "root", "name": "root", "parentSpace": nil, "inheritEntities": false, "accessLevel": "ADMIN"},
	})
	same(t, "an absent space", p.ask(t, p.jwt, `{space(id:"absent"){id}}`, nil).data(t), object{"space": nil})
	dev := p.space(t, "Dev", "root")
	again := p.space(t, "Dev", "root") // names may repeat
	below := p.space(t, "Below", dev)
	if !strings.HasPrefix(dev, "dev-") || len(dev) != len("dev-")+26 || dev == again {
		t.Errorf("got %s and %s", dev, again)
	}
	p.wantMessage(t, `space "root" can not be changed`, updateSpace, object{"space": "root", "input": spaceInput("x", "root")})
	p.wantMessage(t, `space "legacy" can not be changed`, updateSpace, object{"space": "legacy", "input": spaceInput("x", "root")})
	p.wantMessage(t, `space "root" can not be changed`, deleteSpace, object{"id": "root"})
	p.wantMessage(t, `space "absent" does not exist`, updateSpace, object{"space": "absent", "input": spaceInput("x", "root")})
	p.wantMessage(t, `space "absent" does not exist`, createSpace, object{"input": spaceInput("x", "absent")})
	p.wantMessage(t, `a space can not be inside itself`, updateSpace, object{"space": dev, "input": spaceInput("Dev", below)})
	p.wantMessage(t, `a space can not be inside itself`, updateSpace, object{"space": dev, "input": spaceInput("Dev", dev)})
	p.wantMessage(t, `name must contain at least one letter or digit`, createSpace, object{"input": spaceInput("--", "root")})
	p.wantMessage(t, `space "`+dev+`" is not empty`, deleteSpace, object{"id": dev})
	same(t, "moved", p.run(t, updateSpace, object{"space": below, "input": object{
		"name": "Elsewhere", "description": "d", "inheritEntities": false, "parentSpace": "legacy", "labels": []string{"a"},
	}}), object{"id": below, "name": "Elsewhere", "parentSpace": "legacy", "inheritEntities": false, "labels": []string{"a"}, "description": "d"})

	// What may be in a space: a stack, a named webhook, a policy.
	input := stackInput("In dev")
	input["space"] = dev
	p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true){id}}`, object{"input": input})
	p.wantMessage(t, `space "`+dev+`" is not empty`, deleteSpace, object{"id": dev})
	p.run(t, `mutation{stackDelete(id:"in-dev"){id,deleting}}`, nil)
	p.run(t, createNamed, object{"input": namedInput("n", dev)})
	p.wantMessage(t, `space "`+dev+`" is not empty`, deleteSpace, object{"id": dev})
	p.run(t, `mutation{namedWebhooksIntegrationDelete(id:"n"){id}}`, nil)
	p.run(t, createPolicy, object{"input": object{"name": "p", "body": "package spacelift", "type": "PLAN", "space": dev}})
	p.wantMessage(t, `space "`+dev+`" is not empty`, deleteSpace, object{"id": dev})
	p.run(t, `mutation{policyDelete(id:"p"){id}}`, nil)
	same(t, "deleted", p.run(t, deleteSpace, object{"id": dev}), object{"id": dev})
	same(t, "deleted again", p.ask(t, p.jwt, deleteSpace, object{"id": dev}).data(t), object{"spaceDelete": nil})
}

// TestProjectsAreSpaces: what other faces made shows as spaces and stacks.
func TestProjectsAreSpaces(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.Want(t, 201, "POST", "/v1/organizations/acme/projects", object{"name": "Payments"}, nil)
	e := event("checkout", "r", "pending", nil)
	e["project"] = object{"name": "Payments"}
	p.Want(t, 202, "POST", "/v1/events", e, nil)
	var payments string
	for _, s := range p.run(t, `{spaces{id,name}}`, nil).([]any) {
		if s.(object)["name"] == "Payments" {
			payments = s.(object)["id"].(string)
		}
	}
	if !strings.HasPrefix(payments, "payments-") || len(payments) != len("payments-")+26 {
		t.Fatalf("got %q", payments)
	}
	same(t, "the stack", p.run(t, `{stack(id:"checkout"){id,space,state,spaceDetails{name}}}`, nil), object{
		"id": "checkout", "space": payments, "state": "QUEUED", "spaceDetails": object{"name": "Payments"},
	})
	p.run(t, `mutation($s:ID!){namedWebhooksIntegrationCreate(input:{enabled:true,endpoint:"https://a.example.test",space:$s,name:"a"}){id}}`, object{"s": payments})
}

// TestStacks is section 6.
func TestStacks(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	const create = `mutation($input:StackInput!$slug:String){stackCreate(input: $input, manageState: false, slug: $slug){id,name,managesStateFile,namespace,repository,provider}}`
	same(t, "with a slug", p.run(t, create, object{"input": stackInput("My Stack"), "slug": "own-slug"}), object{
		"id": "own-slug", "name": "My Stack", "managesStateFile": false, "namespace": "octo", "repository": "infra", "provider": "GITHUB",
	})
	p.wantMessage(t, `a stack with the ID "own-slug" already exists`, create, object{"input": stackInput("x"), "slug": "own-slug"})
	p.wantMessage(t, `name must contain at least one letter or digit`, create, object{"input": stackInput("?")})
	if got := p.ask(t, p.jwt, create, object{"input": stackInput("x"), "slug": "Not a slug"}); len(got.Errors) == 0 {
		t.Errorf("got %s", got.raw)
	}
	// The same name twice: identifiers differ, names do not.
	same(t, "a second of the name", p.run(t, create, object{"input": stackInput("My Stack")}), object{
		"id": "my-stack", "name": "My Stack", "managesStateFile": false, "namespace": "octo", "repository": "infra", "provider": "GITHUB",
	})
	// A rename keeps the identifier.
	same(t, "renamed", p.run(t, `mutation($input:StackInput!){stackUpdate(id:"my-stack",input:$input){id,name}}`, object{"input": stackInput("Else")}), object{"id": "my-stack", "name": "Else"})
	// Identifiers are those of stacks that came with an event, too.
	p.Want(t, 202, "POST", "/v1/events", event("By Event", "r", "pending", nil), nil)
	p.wantMessage(t, `a stack with the ID "by-event" already exists`, create, object{"input": stackInput("by event")})
	p.wantMessage(t, `stack or module "absent" does not exist`, `mutation($input:StackInput!){stackUpdate(id:"absent",input:$input){id}}`, object{"input": stackInput("x")})

	protected := stackInput("Protected")
	protected["protectFromDeletion"] = true
	p.run(t, create, object{"input": protected})
	p.wantMessage(t, `stack "protected" is protected from deletion`, `mutation{stackDelete(id:"protected"){id}}`, nil)
	p.webhook(t, "my-stack", "https://hooks.example.test/", "s", nil)
	same(t, "deleted with its webhooks", p.run(t, `mutation{stackDelete(id:"my-stack"){id,deleting,integrations{webhooks{endpoint}}}}`, nil), object{
		"id": "my-stack", "deleting": false, "integrations": object{"webhooks": []object{{"endpoint": "https://hooks.example.test/"}}},
	})
	same(t, "deleted again", p.ask(t, p.jwt, `mutation{stackDelete(id:"my-stack"){id} moduleDelete(id:"own-slug"){id}}`, nil).data(t), object{"stackDelete": nil, "moduleDelete": nil})
	var left struct{ Items []struct{ Name string } }
	p.Want(t, 200, "GET", "/v1/subscriptions?organization=acme", nil, &left)
	if len(left.Items) != 0 {
		t.Errorf("got %+v", left)
	}
}

// TestVendors stores and returns every kind of configuration.
func TestVendors(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	cases := map[string]struct{ given, selection, want string }{
		"Ansible":        {`ansible:{playbook:"p"}`, `... on StackConfigVendorAnsible{playbook}`, `{"playbook":"p"}`},
		"CloudFormation": {`cloudFormation:{entryTemplateFile:"e",region:"r",stackName:"s",templateBucket:"t"}`, `... on StackConfigVendorCloudFormation{entryTemplateFile region stackName templateBucket}`, `{"entryTemplateFile":"e","region":"r","stackName":"s","templateBucket":"t"}`},
		"Kubernetes":     {`kubernetes:{namespace:"n"}`, `... on StackConfigVendorKubernetes{namespace kubectlVersion kubernetesWorkflowTool}`, `{"namespace":"n","kubectlVersion":null,"kubernetesWorkflowTool":"KUBERNETES"}`},
		"OpenTofu":       {`opentofu:{concise:true,version:"1.9"}`, `... on StackConfigVendorOpenTofu{concise version openTofuWorkflowTool:workflowTool}`, `{"concise":true,"version":"1.9","openTofuWorkflowTool":"OPENTOFU"}`},
		"Pulumi":         {`pulumi:{loginURL:"l",stackName:"s"}`, `... on StackConfigVendorPulumi{loginURL stackName}`, `{"loginURL":"l","stackName":"s"}`},
		"Terraform":      {`terraform:{version:"1.11.4",workspace:"w",workflowTool:CUSTOM}`, `... on StackConfigVendorTerraform{version workspace workflowTool externalStateAccessEnabled}`, `{"version":"1.11.4","workspace":"w","workflowTool":"CUSTOM","externalStateAccessEnabled":false}`},
		"Terragrunt":     {`terragrunt:{useRunAll:true,useSmartSanitization:false,tool:OPEN_TOFU}`, `... on StackConfigVendorTerragrunt{useRunAll tool terraformVersion}`, `{"useRunAll":true,"tool":"OPEN_TOFU","terraformVersion":null}`},
	}
	for name, c := range cases {
		query := fmt.Sprintf(`mutation{stackCreate(manageState:true,input:{administrative:false,branch:"b",name:%q,repository:"r",vendorConfig:{%s}}){terraformVersion vendorConfig{__typename %s}}}`, name, c.given, c.selection)
		got := p.run(t, query, nil).(object)
		config := got["vendorConfig"].(object)
		if config["__typename"] != "StackConfigVendor"+name {
			t.Errorf("%s: got %v", name, config)
		}
		delete(config, "__typename")
		same(t, name, config, []byte(c.want))
		if (got["terraformVersion"] == "1.11.4") != (name == "Terraform") {
			t.Errorf("%s: terraformVersion is %v", name, got["terraformVersion"])
		}
	}
	got := p.run(t, `{searchStacks(input:{predicates:[{field:"vendor",constraint:{stringMatches:["OpenTofu","Pulumi"]}}]}){edges{node{id}}}}`, nil)
	same(t, "by vendor", got, object{"edges": []object{{"node": object{"id": "opentofu"}}, {"node": object{"id": "pulumi"}}}})
}

// TestModules is section 6.
func TestModules(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	input := func(change object) object {
		in := object{"updateInput": object{"administrative": false, "branch": "main"}, "repository": "terraform-aws-vpc", "provider": "GITHUB"}
		for name, value := range change {
			in[name] = value
		}
		return object{"input": in}
	}
	same(t, "from its repository", p.run(t, createModule, input(nil)), object{"id": "terraform-aws-vpc", "name": "vpc", "terraformProvider": "aws", "repository": "terraform-aws-vpc"})
	p.wantMessage(t, `a module with the ID "terraform-aws-vpc" already exists`, createModule, input(nil))
	same(t, "by its name", p.run(t, createModule, input(object{"name": "Net Work", "repository": "x"})), object{"id": "terraform-default-net-work", "name": "Net Work", "terraformProvider": "default", "repository": "x"})
	p.wantMessage(t, `name must contain at least one letter or digit`, createModule, input(object{"repository": "x"}))
	p.stack(t, "vpc") // the same name as a module's
	p.webhook(t, "terraform-aws-vpc", "https://hooks.example.test/", "s", true)
	same(t, "its webhooks", p.run(t, `{module(id:"terraform-aws-vpc"){integrations{webhooks{endpoint,retryOnFailure}} moduleShares{id} public}}`, nil), object{
		"integrations": object{"webhooks": []object{{"endpoint": "https://hooks.example.test/", "retryOnFailure": true}}}, "moduleShares": []any{}, "public": false,
	})
	same(t, "no stack", p.ask(t, p.jwt, `{stack(id:"terraform-aws-vpc"){id} module(id:"vpc"){id} modules{id} stacks{id}}`, nil).data(t), object{
		"stack": nil, "module": nil, "modules": []object{{"id": "terraform-aws-vpc"}, {"id": "terraform-default-net-work"}}, "stacks": []object{{"id": "vpc"}},
	})
	protect := `mutation{moduleUpdateV2(id:"terraform-aws-vpc",input:{administrative:false,branch:"main",repository:"r",protectFromDeletion:true}){id,name,terraformProvider,space}}`
	same(t, "changed", p.run(t, protect, nil), object{"id": "terraform-aws-vpc", "name": "vpc", "terraformProvider": "aws", "space": "legacy"})
	p.wantMessage(t, `module "terraform-aws-vpc" is protected from deletion`, `mutation{moduleDelete(id:"terraform-aws-vpc"){id}}`, nil)
	p.wantMessage(t, `stack or module "vpc" does not exist`, `mutation{moduleUpdateV2(id:"vpc",input:{administrative:false,branch:"main",repository:"r"}){id}}`, nil)
}

// TestPolicies is what section 5.3 to 6 say of policies as records.
func TestPolicies(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	const body = "package spacelift\r\n\n# <kept> & literal  \n\tdeny { false }\n"
	made := p.run(t, createPolicy, object{"input": object{"name": "My Policy", "body": body, "type": "PLAN", "labels": nil, "space": nil, "description": nil, "engineType": nil}})
	same(t, "made", made, object{"id": "my-policy", "labels": []any{}, "name": "My Policy", "body": body, "type": "PLAN", "space": "legacy", "description": "", "engineType": "REGO_V0"})
	again := p.run(t, createPolicy, object{"input": object{"name": "my policy", "body": body, "type": "GIT_PUSH", "labels": []string{"x"}, "space": "root", "description": "d", "engineType": "REGO_V1"}}).(object)
	if id := again["id"].(string); !strings.HasPrefix(id, "my-policy-") || id != strings.ToLower(id) || len(id) != len("my-policy-")+26 {
		t.Errorf("got %v", again)
	}
	same(t, "changed", p.run(t, updatePolicy, object{"id": again["id"], "input": object{"name": "Else", "body": "x", "labels": nil, "space": nil, "description": nil, "engineType": nil}}), object{
		"id": again["id"], "labels": []any{}, "name": "Else", "body": "x", "type": "GIT_PUSH", "space": "root", "description": "", "engineType": "REGO_V1",
	})
	same(t, "read", p.run(t, `query($id:ID!){policy(id: $id){id,labels,name,body,type,space,description,engineType}}`, object{"id": "my-policy"}), made)
	same(t, "listed", p.run(t, `{policies(){id,type}}`, nil), []object{{"id": "my-policy", "type": "PLAN"}, {"id": again["id"], "type": "GIT_PUSH"}})
	p.wantMessage(t, `name must contain at least one letter or digit`, createPolicy, object{"input": object{"name": "", "body": "", "type": "PLAN"}})
	p.wantMessage(t, `space "absent" does not exist`, createPolicy, object{"input": object{"name": "a", "body": "", "type": "PLAN", "space": "absent"}})
	p.wantMessage(t, `policy "absent" does not exist`, updatePolicy, object{"id": "absent", "input": object{"name": "a", "body": ""}})
	same(t, "deleted", p.run(t, `mutation($id:ID!){policyDelete(id: $id){id}}`, object{"id": "my-policy"}), object{"id": "my-policy"})
	same(t, "gone", p.ask(t, p.jwt, `mutation{policyDelete(id:"my-policy"){id}}`, nil).data(t), object{"policyDelete": nil})
	same(t, "null", p.ask(t, p.jwt, `{policy(id:"my-policy"){id}}`, nil).data(t), object{"policy": nil})
}
