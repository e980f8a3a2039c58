package spacelift

import "context"

// compiler is the border to what understands policies. Without one, notification policies are stored and not evaluated.
type compiler interface {
	// check compiles a policy's body for an engine; the error's text is for the policy's author.
	check(ctx context.Context, engine, body string) error
}

// unevaluated takes every policy.
type unevaluated struct{}

func newCompiler() compiler { return unevaluated{} }

func (unevaluated) check(context.Context, string, string) error { return nil }
