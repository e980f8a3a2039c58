package spacelift_test

import (
	"fmt"
	"strings"
	"testing"
)

const searchIDs = `query($input:SearchInput!){searchStacks(input: $input){edges{cursor,node{id}},pageInfo{startCursor,endCursor,hasNextPage,hasPreviousPage}}}`

// found spells the identifiers of a page and whether there are others before and behind it.
func found(t *testing.T, got any) (ids, end string) {
	t.Helper()
	page := got.(object)
	var list []string
	for _, e := range page["edges"].([]any) {
		list = append(list, e.(object)["node"].(object)["id"].(string))
	}
	info := page["pageInfo"].(object)
	if info["hasPreviousPage"] == true {
		list = append([]string{"<"}, list...)
	}
	if info["hasNextPage"] == true {
		list = append(list, ">")
	}
	return strings.Join(list, " "), info["endCursor"].(string)
}

// TestPaging is section 5.6. A client that goes on while hasNextPage is true comes to an end.
func TestPaging(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for i := range 7 {
		p.stack(t, fmt.Sprintf("s%d", i))
	}
	search := func(input object) (string, string) { return found(t, p.run(t, searchIDs, object{"input": input})) }
	first, end := search(object{"first": 3})
	second, end2 := search(object{"first": 3, "after": end})
	third, end3 := search(object{"first": 3, "after": end2})
	fourth, end4 := search(object{"first": 3, "after": end3})
	if got := strings.Join([]string{first, second, third, fourth, end4}, "|"); got != "s0 s1 s2 >|< s3 s4 s5 >|< s6|<|" {
		t.Errorf("got %s", got)
	}
	// The object of a cursor may be gone.
	p.run(t, `mutation{stackDelete(id:"s2"){id}}`, nil)
	if got, _ := search(object{"first": 2, "after": end}); got != "< s3 s4 >" {
		t.Errorf("got %s", got)
	}
	for order, want := range map[string]string{
		`{"field":"id","direction":"DESC"}`: "s6 s5 s4 >", `{"field":"createdAt","direction":"ASC"}`: "s0 s1 s3 >", `{"field":"name","direction":"DESC"}`: "s6 s5 s4 >",
	} {
		var by object
		if err := unmarshal(order, &by); err != nil {
			t.Fatal(err)
		}
		got, end := search(object{"first": 3, "orderBy": by})
		rest, _ := search(object{"first": 100, "orderBy": by, "after": end})
		if got != want || len(strings.Fields(rest)) != 4 {
			t.Errorf("%s: got %s, then %s", order, got, rest)
		}
	}
	for _, input := range []object{
		{"orderBy": object{"field": "size", "direction": "ASC"}}, {"orderBy": object{"field": "id", "direction": "UP"}}, {"after": "nonsense"},
		{"predicates": []object{{"field": "colour", "constraint": object{}}}},
	} {
		if got := p.ask(t, p.jwt, searchIDs, object{"input": input}); got.status != 200 || len(got.Errors) != 1 {
			t.Errorf("%v: got %s", input, got.raw)
		}
	}
	p.wantMessage(t, `unknown search field "colour"`, searchIDs, object{"input": object{"predicates": []object{{"field": "colour", "constraint": object{}}}}})
}

// TestPageSizes: 50 by default, 100 at most.
func TestPageSizes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for i := range 103 {
		p.stack(t, fmt.Sprintf("s%03d", i))
	}
	for first, want := range map[any]int{nil: 50, 50: 50, 100: 100, 1000: 100, 0: 0, -1: 0} {
		got := p.run(t, searchIDs, object{"input": object{"first": first}}).(object)
		if n := len(got["edges"].([]any)); n != want {
			t.Errorf("first %v: got %d, want %d", first, n, want)
		}
	}
}

// TestPredicates is the other half of section 5.6.
func TestPredicates(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	dev := p.space(t, "dev", "root")
	make := func(name string, change object) {
		input := stackInput(name)
		for key, value := range change {
			input[key] = value
		}
		p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true){id}}`, object{"input": input})
	}
	make("Alpha", object{"labels": []string{"x", "y"}, "administrative": true, "projectRoot": "a/b"})
	make("Beta", object{"labels": []string{"y"}, "branch": "dev", "space": dev})
	make("Gamma", object{"repository": "other", "workerPool": "pool"})
	p.Want(t, 202, "POST", "/v1/events", event("Gamma", "r", "pending", nil), nil)
	p.Want(t, 202, "POST", "/v1/events", event("Gamma", "r", "applied", nil), nil)
	text := func(field string, values ...string) object {
		return object{"field": field, "constraint": object{"booleanEquals": nil, "enumEquals": nil, "stringMatches": values}}
	}
	enum := func(field string, values ...string) object {
		return object{"field": field, "constraint": object{"enumEquals": values}}
	}
	is := func(field string, value bool) object {
		return object{"field": field, "constraint": object{"booleanEquals": []bool{value}}}
	}
	not := func(p object) object { p["exclude"] = true; return p }
	for i, c := range []struct {
		predicates []object
		want       string
	}{
		{[]object{text("label", "x")}, "alpha"}, {[]object{text("label", "x", "y")}, "alpha beta"}, {[]object{text("label", "X")}, ""},
		{[]object{text("label", "y"), text("branch", "dev")}, "beta"}, {[]object{not(text("label", "y"))}, "gamma"},
		{[]object{is("administrative", true)}, "alpha"}, {[]object{is("locked", true)}, ""}, {[]object{is("locked", false)}, "alpha beta gamma"},
		{[]object{enum("state", "FINISHED", "FAILED")}, "gamma"}, {[]object{enum("state", "NONE")}, "alpha beta"},
		{[]object{text("space", dev)}, "beta"}, {[]object{text("name", "Gamma")}, "gamma"}, {[]object{text("name", "gamma")}, ""},
		{[]object{text("id", "gamma", "alpha")}, "alpha gamma"}, {[]object{text("repository", "other")}, "gamma"}, {[]object{text("projectRoot", "a/b")}, "alpha"},
		{[]object{text("workerPool", "pool")}, "gamma"}, {[]object{text("commit", "abc")}, ""}, {[]object{text("vendor", "Terraform")}, "alpha beta gamma"},
	} {
		if got, _ := found(t, p.run(t, searchIDs, object{"input": object{"predicates": c.predicates}})); got != c.want {
			t.Errorf("%d: got %q, want %q", i, got, c.want)
		}
	}
	if got, _ := found(t, p.run(t, searchIDs, object{"input": object{"fullTextSearch": "AMM"}})); got != "gamma" {
		t.Errorf("got %q", got)
	}
	p.run(t, createNamed, object{"input": object{"enabled": false, "endpoint": "https://a.example.test", "space": dev, "name": "N1", "labels": []string{"l"}}})
	p.run(t, createNamed, object{"input": namedInput("N2", "root")})
	const named = `query($input:SearchInput!){searchNamedWebhooksIntegrations(input: $input){edges{node{id}},pageInfo{endCursor,hasNextPage,hasPreviousPage}}}`
	for want, predicate := range map[string]object{"n1": is("enabled", false), "n2": not(text("label", "l"))} {
		if got, _ := found(t, p.run(t, named, object{"input": object{"predicates": []object{predicate}}})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, _ := found(t, p.run(t, named, object{"input": object{"predicates": []object{text("endpoint", "https://a.example.test"), text("space", dev)}}})); got != "n1" {
		t.Errorf("got %q", got)
	}
	// What the platform's command line asks for.
	p.run(t, createPolicy, object{"input": object{"name": "P", "body": "b", "type": "PLAN"}})
	same(t, "policies", p.run(t, `{searchPolicies(input:{first:50}){edges{node{id,name,description,body,spaceDetails{id,name,accessLevel},type,labels}},pageInfo{hasNextPage}}}`, nil), object{
		"edges":    []object{{"node": object{"id": "p", "name": "P", "description": "", "body": "b", "spaceDetails": object{"id": "legacy", "name": "legacy", "accessLevel": "ADMIN"}, "type": "PLAN", "labels": []any{}}}},
		"pageInfo": object{"hasNextPage": false},
	})
	stack := p.run(t, `{stack(id:"gamma"){blocker{id} canWrite createdAt deleted lockedBy starred state stateSetAt trackedCommit{hash} trackedCommitSetBy workerPool{id,name}}}`, nil).(object)
	if stack["state"] != "FINISHED" || stack["canWrite"] != true || stack["stateSetAt"].(float64) < 1e9 || stack["createdAt"].(float64) < 1e9 {
		t.Errorf("got %v", stack)
	}
}
