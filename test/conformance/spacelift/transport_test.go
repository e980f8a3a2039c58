package spacelift_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }

// TestTransport is section 5.1: statuses, and never a word that a client reads as "absent" (trap 3).
func TestTransport(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for i, c := range []struct {
		method, body string
		want         int
	}{
		{"POST", `{"query":"{name}"}`, 200}, {"POST", `{"query":"{name}","variables":null,"extensions":{"a":1}}`, 200}, {"POST", `{"query":"{ nope }"}`, 200},
		{"POST", `{"query":"{"}`, 200}, {"POST", `{}`, 200}, {"POST", `[{"query":"{name}"}]`, 400}, {"POST", `{"query":`, 400}, {"POST", `"x"`, 400},
		{"POST", ``, 400}, {"POST", `{"query":1}`, 400}, {"POST", `{"query":"{name}"} {"query":"{name}"}`, 400},
		{"POST", `{"query":"` + strings.Repeat(" ", 1<<20) + `"}`, 413}, {"GET", ``, 405}, {"PUT", `{"query":"{name}"}`, 405}, {"DELETE", ``, 405},
	} {
		got := read(t, p.As(t, p.jwt, c.method, "/graphql", c.body))
		if got.status != c.want || (len(got.Errors) == 0) != (i < 2) {
			t.Errorf("%d: %s %.40s: got %d, %.200s", i, c.method, c.body, got.status, got.raw)
		}
		if strings.Contains(strings.ToLower(string(got.raw)), "not found") {
			t.Errorf("%d: got %s", i, got.raw)
		}
		if i >= 2 && got.Data != nil {
			t.Errorf("%d: there is data: %s", i, got.raw)
		}
	}
	for _, path := range []string{"/", "/graphql/", "/graphql2", "/stack/a/run/b", "/graphqI"} {
		if got := p.As(t, p.jwt, "POST", path, `{"query":"{name}"}`); got.Status != 404 || strings.Contains(strings.ToLower(string(got.Body)), "not found") || !json.Valid(got.Body) {
			t.Errorf("%s: got %d, %s", path, got.Status, got.Body)
		}
	}
}

// TestNamedOperations: operationName is honoured.
func TestNamedOperations(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	body := object{"query": "query A{name} query B{tier}", "operationName": "B"}
	same(t, "B", read(t, p.As(t, p.jwt, "POST", "/graphql", body)).data(t), object{"tier": "ENTERPRISE"})
	body["operationName"] = ""
	if got := read(t, p.As(t, p.jwt, "POST", "/graphql", body)); len(got.Errors) == 0 {
		t.Errorf("got %s", got.raw)
	}
}

// TestLimits: depth, complexity, length.
func TestLimits(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	deep := "{__schema{types{" + strings.Repeat("fields{type{", 12) + "name" + strings.Repeat("}}", 12) + "}}}"
	var wide, fragments strings.Builder
	wide.WriteString("{")
	for i := range 3000 {
		fmt.Fprintf(&wide, "a%d:name ", i)
	}
	wide.WriteString("}")
	fragments.WriteString("{stacks{...f0}} ")
	for i := range 12 {
		fmt.Fprintf(&fragments, "fragment f%d on Stack{a:id ...f%d b%d:spaceDetails{id} ...f%d} ", i, i+1, i, i+1)
	}
	fragments.WriteString("fragment f12 on Stack{name}")
	long := "{name #" + strings.Repeat("x", 110_000) + "\n}"
	for name, query := range map[string]string{"deep": deep, "wide": wide.String(), "long": long} {
		if got := p.ask(t, p.jwt, query, nil); got.status != 200 || len(got.Errors) == 0 || got.Data != nil {
			t.Errorf("%s: got %d, %.300s", name, got.status, got.raw)
		}
	}
	if got := p.ask(t, p.jwt, fragments.String(), nil); got.status != 200 {
		t.Errorf("fragments: got %d, %.300s", got.status, got.raw)
	}
	if got := p.ask(t, p.jwt, "query{...a} fragment a on Query{...b} fragment b on Query{...a}", nil); len(got.Errors) == 0 {
		t.Errorf("a cycle: %s", got.raw)
	}
}

// TestIntrospection serves the schema: what the platform's command line asks with "api --schema".
func TestIntrospection(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	const query = `query IntrospectionQuery{__schema{queryType{name} mutationType{name} subscriptionType{name} types{...FullType} directives{name description locations args{...InputValue}}}}
fragment FullType on __Type{kind name description fields(includeDeprecated:true){name description args{...InputValue} type{...TypeRef} isDeprecated deprecationReason} inputFields{...InputValue} interfaces{...TypeRef} enumValues(includeDeprecated:true){name description isDeprecated deprecationReason} possibleTypes{...TypeRef}}
fragment InputValue on __InputValue{name description type{...TypeRef} defaultValue}
fragment TypeRef on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}}}}`
	schema := p.ask(t, p.jwt, query, nil).data(t)["__schema"].(object)
	names := map[string]bool{}
	for _, kind := range schema["types"].([]any) {
		names[kind.(object)["name"].(string)] = true
	}
	for line := range strings.Lines(string(file(t, "schema.graphql"))) {
		words := strings.Fields(line)
		if len(words) > 1 && (words[0] == "type" || words[0] == "input" || words[0] == "enum" || words[0] == "union") && !names[words[1]] {
			t.Errorf("%s is not served", words[1])
		}
	}
}

// TestEmptyArgumentLists is trap 10.
func TestEmptyArgumentLists(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.ask(t, p.jwt, "{spaces(){id} policies(){id}}", nil).data(t)
	p.ask(t, p.jwt, "query($a:ID!$b:ID!){stack(id:$a){id} module(id:$b){id}}", object{"a": "1", "b": "2"}).data(t)
}

// TestNumbersAreSmall is trap 9: every Int fits 32 bits and is in seconds.
func TestNumbersAreSmall(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.stack(t, "a")
	p.run(t, createNamed, object{"input": namedInput("n", "root")})
	p.run(t, createPolicy, object{"input": object{"name": "p", "body": "", "type": "PLAN"}})
	data := p.ask(t, p.jwt, `{stack(id:"a"){createdAt} namedWebhooksIntegration(id:"n"){createdAt} policy(id:"p"){createdAt,updatedAt}}`, nil).data(t)
	for name, one := range data {
		for field, value := range one.(object) {
			if n := value.(float64); n < 1e9 || n > 1<<31 {
				t.Errorf("%s.%s is %v", name, field, n)
			}
		}
	}
}
