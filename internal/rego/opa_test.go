//go:build !nopolicy

package rego_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"carillon/internal/rego"
)

var options = rego.Options{Package: "house", Helpers: map[string]func(string) string{"upper_case": strings.ToUpper}}

func eval(t *testing.T, version rego.Version, text, input string) (string, error) {
	t.Helper()
	p, err := rego.Compile(t.Context(), version, options, text)
	if err != nil {
		return "", err
	}
	rules, err := p.Eval(t.Context(), json.RawMessage(input))
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), nil
}

func TestEvaluation(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		version     rego.Version
		text, input string
		want        string // "!" is an error
	}{
		"a set of version 1":       {rego.V1, "package house\nx contains input.a if input.a > 1", `{"a":2}`, `{"x":[2]}`},
		"a set of version 0":       {rego.V0, "package house\nx[y] { y := input.a; y > 1 }", `{"a":2}`, `{"x":[2]}`},
		"version 0 is not 1":       {rego.V1, "package house\nx[y] { y := 1 }", `{}`, "!"},
		"version 1 is not 0":       {rego.V0, "package house\nx contains 1 if true", `{}`, "!"},
		"nothing is said":          {rego.V1, "package house\nx if input.a", `{}`, `{}`},
		"another package":          {rego.V1, "package elsewhere\nx := 1", `{}`, `{}`},
		"numbers keep every digit": {rego.V1, "package house\nx := input.ns", `{"ns":1745600160000000001}`, `{"x":1745600160000000001}`},
		"a helper":                 {rego.V1, `package house` + "\n" + `x := upper_case(input.a)`, `{"a":"b"}`, `{"x":"B"}`},
		"a helper of a number":     {rego.V1, `package house` + "\n" + `x := upper_case(input.a)`, `{"a":1}`, `{}`},
		"a helper of version 0":    {rego.V0, `package house` + "\n" + `x = y { y := upper_case(input.a) }`, `{"a":"b"}`, `{"x":"B"}`},
		"no Rego":                  {rego.V1, "hello", `{}`, "!"},
		"empty":                    {rego.V1, "", `{}`, "!"},
		"the network":              {rego.V1, `package house` + "\n" + `x := http.send({"method":"GET","url":"http://127.0.0.1"})`, `{}`, "!"},
		"names":                    {rego.V1, `package house` + "\n" + `x := net.lookup_ip_addr("example.com")`, `{}`, "!"},
		"the process":              {rego.V1, "package house\nx := opa.runtime()", `{}`, "!"},
		"other policies":           {rego.V1, `package house` + "\n" + `x := rego.parse_module("a", "package a")`, `{}`, "!"},
		"the clock":                {rego.V1, "package house\nx := time.now_ns()", `{}`, "!"},
		"traces":                   {rego.V1, `package house` + "\n" + `x if trace("a")`, `{}`, "!"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := eval(t, c.version, c.text, c.input)
			if (err != nil) != (c.want == "!") || (err == nil && got != c.want) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestTheFirstMessageIsTold(t *testing.T) {
	t.Parallel()
	_, err := rego.Compile(t.Context(), rego.V1, options, "package house\n\nx := y\nz := w\n")
	if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// TestEvaluationEnds interrupts a policy that would take for ever.
func TestEvaluationEnds(t *testing.T) {
	t.Parallel()
	p, err := rego.Compile(t.Context(), rego.V1, options, `package house
x := count([1 | some a in numbers.range(1, 10000); some b in numbers.range(1, 10000); a * b == -1])`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Eval(ctx, json.RawMessage(`{}`)); err == nil || errors.Is(err, rego.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("package house\nx contains 1 if true", true)
	f.Add("package house\nx[y] { y := 1 }", false)
	f.Fuzz(func(t *testing.T, text string, first bool) {
		version := rego.V0
		if first {
			version = rego.V1
		}
		if p, err := rego.Compile(t.Context(), version, options, text); err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _ = p.Eval(ctx, json.RawMessage(`{"a":[1,{"b":null}]}`))
		}
	})
}
