//go:build !nopolicy

package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/types"
)

// Available says that policies can be compiled and evaluated.
const Available = true

// forbidden are built-in functions that reach out of the process, or tell of it.
var forbidden = []string{"http.send", "net.lookup_ip_addr", "opa.runtime", "rego.parse_module", "time.now_ns", "trace"}

// Compile compiles a policy. The error is the compiler's first message, for the policy's author.
func Compile(ctx context.Context, version Version, o Options, text string) (Policy, error) {
	language := ast.RegoV0
	if version == V1 {
		language = ast.RegoV1
	}
	arguments := []func(*opa.Rego){
		opa.Query("data." + o.Package), opa.Module("policy.rego", text), opa.SetRegoVersion(language),
		opa.Capabilities(capabilities(language, o.Helpers)),
	}
	for name, helper := range o.Helpers {
		arguments = append(arguments, function(name, helper))
	}
	prepared, err := opa.New(arguments...).PrepareForEval(ctx)
	if err != nil {
		return nil, firstOf(err)
	}
	return &policy{prepared}, nil
}

// capabilities are those of the language's version without what is forbidden: a policy of one version does not compile
// with those of another.
func capabilities(version ast.RegoVersion, helpers map[string]func(string) string) *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(version))
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool { return slices.Contains(forbidden, b.Name) })
	for name := range helpers {
		c.Builtins = append(c.Builtins, &ast.Builtin{Name: name, Decl: declaration})
	}
	c.AllowNet = []string{}
	return c
}

// declaration is the type of every helper.
var declaration = types.NewFunction(types.Args(types.S), types.S)

func function(name string, helper func(string) string) func(*opa.Rego) {
	return opa.Function1(&opa.Function{Name: name, Decl: declaration}, func(_ opa.BuiltinContext, argument *ast.Term) (*ast.Term, error) {
		text, ok := argument.Value.(ast.String)
		if !ok {
			return nil, nil // undefined, as the language has it for an argument of another type
		}
		return ast.StringTerm(helper(string(text))), nil
	})
}

// firstOf shortens what the compiler says to its first message.
func firstOf(err error) error {
	if all, ok := errors.AsType[ast.Errors](err); ok && len(all) > 0 {
		first := all[0]
		if first.Location != nil {
			return fmt.Errorf("line %d: %s", first.Location.Row, first.Message)
		}
		return errors.New(first.Message)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

type policy struct{ prepared opa.PreparedEvalQuery }

// Eval evaluates the policy within Timeout. Numbers never pass through a float.
func (p *policy) Eval(ctx context.Context, input json.RawMessage) (Rules, error) {
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("read the policy's input: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	results, err := p.prepared.Eval(ctx, opa.EvalInput(document))
	if err != nil {
		return nil, fmt.Errorf("evaluate the policy: %w", err)
	}
	if len(results) == 0 || len(results[0].Expressions) == 0 {
		return Rules{}, nil
	}
	rules, ok := results[0].Expressions[0].Value.(map[string]any)
	if !ok {
		return Rules{}, nil
	}
	return rules, nil
}
