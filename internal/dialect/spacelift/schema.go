package spacelift

import (
	"context"
	_ "embed"
	"errors"

	graphql "github.com/graph-gophers/graphql-go"
	gqlerrors "github.com/graph-gophers/graphql-go/errors"
)

// schemaText is the schema that is served (§5).
//
//go:embed schema.graphql
var schemaText string

// root resolves queries and mutations.
type root struct{}

// newSchema parses the schema. That the resolvers fit it is a matter of this package's code, not of its input.
func newSchema(a *api) *graphql.Schema {
	return graphql.MustParseSchema(schemaText, &root{},
		graphql.UseFieldResolvers(),
		graphql.MaxDepth(depthLimit), graphql.MaxQueryLength(queryLimit), graphql.MaxSelections(selectionLimit),
		graphql.OverlapValidationLimit(overlapLimit), graphql.MaxParallelism(2),
		graphql.RestrictIntrospection(func(ctx context.Context) bool { return callOf(ctx).signedIn }),
		graphql.PanicHandler(panics{}), graphql.Logger(quiet{a}),
	)
}

// panics turns a resolver's panic into an error without details.
type panics struct{}

// MakePanicError is asked after the panic was logged.
func (panics) MakePanicError(context.Context, any) *gqlerrors.QueryError {
	return gqlerrors.Errorf("%s", string(errInternal))
}

// quiet logs a resolver's panic.
type quiet struct{ *api }

// LogPanic notes what happened; the client learns nothing of it.
func (q quiet) LogPanic(ctx context.Context, value any) {
	q.Log.ErrorContext(ctx, "a resolver panicked", "dialect", Name, "panic", value)
}

// ask runs a query for whoever is signed in.
func ask[T any](ctx context.Context, f func(c *call) (T, error)) (T, error) {
	c := callOf(ctx)
	if !c.signedIn {
		var none T
		return none, errSignIn
	}
	value, err := f(c)
	return value, c.public(ctx, err)
}

// errAbsent ends a mutation that had nothing to do: it answers null, and nothing is recorded (§5.5).
var errAbsent = errors.New("there is nothing to delete")

// change runs a mutation. Those of one account run one after the other on a node, so that what a mutation checks still
// holds when it writes. What succeeded is recorded in the audit trail.
func change[T any](ctx context.Context, mutation, action string, args any, f func(c *call) (value T, id string, err error)) (T, error) {
	return ask(ctx, func(c *call) (T, error) {
		defer c.changing.lock(c.account.ID)()
		c.memory.clear()
		value, id, err := f(c)
		if err != nil {
			var none T
			if errors.Is(err, errAbsent) {
				return none, nil
			}
			return none, err
		}
		c.memory.clear()
		c.record(ctx, entry{action: action, mutation: mutation, id: id, args: args})
		return value, nil
	})
}
