package spacelift_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operation is one entry of operations.json: a request as a client sends it, and the answer that it must get.
type operation struct {
	Names     []string `json:"header_values"`
	Query     string
	Variables object
	More      []struct{ Variables object } `json:"more_variables"`
	Response  json.RawMessage
	Other     []struct{ Response json.RawMessage } `json:"more_responses"`
}

// player replays operations. Identifiers that the program draws replace those of the file.
type player struct {
	*platform
	all    []operation
	used   map[int]bool
	actual map[string]string
}

func newPlayer(t *testing.T) *player {
	t.Helper()
	p := &player{platform: newPlatform(t), used: map[int]bool{}, actual: map[string]string{}}
	if err := json.Unmarshal(file(t, "operations.json"), &p.all); err != nil {
		t.Fatal(err)
	}
	if len(p.all) != 31 {
		t.Fatalf("got %d operations, want 31", len(p.all))
	}
	return p
}

// find returns the nth operation of a name.
func (p *player) find(t *testing.T, name string, nth int) operation {
	t.Helper()
	for i, o := range p.all {
		if (name == "" && len(o.Names) == 0) || slices.Contains(o.Names, name) {
			if nth--; nth < 0 {
				p.used[i] = true
				return o
			}
		}
	}
	t.Fatalf("there is no operation %q", name)
	return operation{}
}

// here puts the actual identifiers into a text of the file.
func (p *player) here(text []byte) []byte {
	for sample, actual := range p.actual {
		text = []byte(strings.ReplaceAll(string(text), sample, actual))
	}
	return text
}

var cursors = regexp.MustCompile(`"endCursor":\s*"[^"]*"`)

// check sends an operation with variables and compares the whole answer.
func (p *player) check(t *testing.T, o operation, variables object, want json.RawMessage) {
	t.Helper()
	var given object
	if variables != nil {
		if err := json.Unmarshal(p.here([]byte(spell(t, variables))), &given); err != nil {
			t.Fatal(err)
		}
	}
	got := p.ask(t, p.jwt, o.Query, given)
	got.data(t)
	blank := func(raw []byte) []byte { return cursors.ReplaceAll(raw, []byte(`"endCursor":"cursor"`)) }
	same(t, strings.Join(o.Names, ", "), blank(got.raw), blank(p.here(want)))
}

func (p *player) play(t *testing.T, name string) {
	t.Helper()
	o := p.find(t, name, 0)
	p.check(t, o, o.Variables, o.Response)
}

// learn sends an operation whose answer holds an identifier that stands for the file's.
func (p *player) learn(t *testing.T, name, field, sample string) {
	t.Helper()
	o := p.find(t, name, 0)
	var variables object
	if err := json.Unmarshal(p.here([]byte(spell(t, o.Variables))), &variables); err != nil {
		t.Fatal(err)
	}
	got := p.ask(t, p.jwt, o.Query, variables)
	p.actual[sample] = got.data(t)[field].(object)["id"].(string)
	same(t, name, got.raw, p.here(o.Response))
}

// TestOperationsAreReplayed sends all 31 operations in an order in which they make sense. Every answer is the file's:
// nothing is missing, nothing is more than was asked for.
func TestOperationsAreReplayed(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	for nth := range 2 {
		p.find(t, "", nth) // the exchange, which TestSigningIn plays in both forms
	}
	p.play(t, "AccountDetails")
	p.learn(t, "CreateSpace", "spaceCreate", "dev-01M80EWHJ8M01WFGBK47E2R2ZP")
	p.play(t, "SpaceRead")
	spaces := p.find(t, "SpaceRead", 1)
	p.check(t, spaces, nil, spaces.Response)
	p.play(t, "SpacesRead")
	p.updatedSpace(t)

	p.play(t, "StackCreate")
	p.play(t, "ModuleCreate")
	pages(t, p, "StacksPage")
	pages(t, p, "ModulesPage")
	p.learn(t, "WebhookCreate", "webhooksIntegrationCreate", "01M80EWHM5MP5JGZQ8SYSS763N")
	o := p.find(t, "WebhookCreate", 0)
	made := p.ask(t, p.jwt, o.Query, o.More[0].Variables).data(t)["webhooksIntegrationCreate"].(object)
	p.actual["01M80EWHJZTARVCS7509MZ0WNS"] = made["id"].(string)
	p.play(t, "StackRead")
	p.play(t, "ModuleRead")
	p.play(t, "ModuleUpdate")
	p.play(t, "WebhookUpdate")
	p.updatedStack(t)

	p.play(t, "NamedWebhookCreate")
	p.play(t, "NamedWebhookSecretHeaderSet")
	p.play(t, "GetNamedWebhook")
	p.play(t, "NamedWebhookUpdate")
	p.play(t, "NamedWebhookSecretHeaderDelete")
	p.play(t, "NamedWebhookDelete")
	gone := p.find(t, "GetNamedWebhook", 0)
	p.check(t, gone, gone.Variables, gone.Other[0].Response)

	p.play(t, "WebhookDelete") // the module's
	w := p.webhooks(t, "demo-stack")[0]
	p.run(t, deleteWebhook, object{"stack": "demo-stack", "webhook": w["id"]})
	p.restored(t)
	p.play(t, "ModuleDelete")
	p.play(t, "StackDelete")
	gone = p.find(t, "StackRead", 0)
	p.check(t, gone, gone.Variables, gone.Other[0].Response)
	p.play(t, "DeleteSpace")
	for _, name := range []string{"AuditTrailWebhookCreate", "AuditTrailWebhookRead", "AuditTrailWebhookDelete"} {
		p.find(t, name, 0) // TestAuditTrailOperations plays them against a receiver that answers
	}
	for i, o := range p.all {
		if !p.used[i] {
			t.Errorf("%v was not replayed", o.Names)
		}
	}
}

// pages plays a search without a filter, and expects nothing of the filters of the file: no object has what they want.
func pages(t *testing.T, p *player, name string) {
	t.Helper()
	o := p.find(t, name, 0)
	unfiltered := object{"input": object{"first": 50, "after": nil, "predicates": nil}}
	p.check(t, o, unfiltered, o.Response)
	if name != "StacksPage" {
		return
	}
	root := "searchStacks"
	for _, variables := range []object{o.Variables, o.More[2].Variables} {
		got := p.ask(t, p.jwt, o.Query, variables).data(t)[root].(object)
		same(t, name, got["edges"], []any{})
		same(t, name, got["pageInfo"], object{"endCursor": "", "hasNextPage": false, "hasPreviousPage": false})
	}
}

// updatedSpace plays SpaceUpdate on a space of its own.
func (p *player) updatedSpace(t *testing.T) {
	t.Helper()
	made := p.run(t, createSpace, object{"input": object{"description": "", "name": "My first space txvff", "inheritEntities": false, "parentSpace": "root"}})
	p.actual["my-first-space-txvff-01M80FCYJPSED7RWWC3BDX4QDG"] = made.(object)["id"].(string)
	p.play(t, "SpaceUpdate")
}

// updatedStack plays StackUpdate on a stack of its own.
func (p *player) updatedStack(t *testing.T) {
	t.Helper()
	p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true, slug: "provider-test-stack-adkt7"){id}}`,
		object{"input": stackInput("another")})
	p.play(t, "StackUpdate")
}

// restored puts the module back as the answer of ModuleDelete shows it.
func (p *player) restored(t *testing.T) {
	t.Helper()
	o := p.find(t, "ModuleUpdate", 0)
	input := o.Variables["input"].(object)
	input["description"] = nil
	p.run(t, o.Query, o.Variables)
}
