package spacelift

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/subscription"
)

// edge is any of the schema's edges.
type edge[T any] struct {
	Cursor string
	Node   T
}

// results are any of the schema's search outputs.
type results[T any] struct {
	Edges    []*edge[T]
	PageInfo pageInfo
}

// show searches and shows the page that was found.
func show[T, V any](all []found[T], in searchInput, view func(T) (V, error)) (*results[V], error) {
	page, info, err := search(all, in)
	if err != nil {
		return nil, err
	}
	key, _, err := in.order()
	if err != nil {
		return nil, err
	}
	out := &results[V]{Edges: []*edge[V]{}, PageInfo: info}
	for _, f := range page {
		v, err := view(f.object)
		if err != nil {
			return nil, err
		}
		out.Edges = append(out.Edges, &edge[V]{Cursor: position{Key: keyOf(f, key), ID: f.id}.encode(), Node: v})
	}
	return out, nil
}

// searchable lists the stacks or the modules for a search.
func (c *call) searchable(ctx context.Context, module bool) ([]found[*estate.Workspace], error) {
	all, err := c.ofKind(ctx, module)
	if err != nil {
		return nil, err
	}
	list := make([]found[*estate.Workspace], 0, len(all))
	for _, w := range all {
		record := recordOf(w)
		list = append(list, found[*estate.Workspace]{
			object: w, id: stackIDOf(w), name: nameOf(w, &record), made: w.CreatedAt.UnixNano(), fields: c.stackFields(ctx, w),
		})
	}
	return list, nil
}

// SearchStacks finds stacks.
func (*root) SearchStacks(ctx context.Context, args struct{ Input searchInput }) (*results[*stack], error) {
	return ask(ctx, func(c *call) (*results[*stack], error) {
		all, err := c.searchable(ctx, false)
		if err != nil {
			return nil, err
		}
		return show(all, args.Input, func(w *estate.Workspace) (*stack, error) { return c.newStack(ctx, w) })
	})
}

// SearchModules finds modules.
func (*root) SearchModules(ctx context.Context, args struct{ Input searchInput }) (*results[*module], error) {
	return ask(ctx, func(c *call) (*results[*module], error) {
		all, err := c.searchable(ctx, true)
		if err != nil {
			return nil, err
		}
		return show(all, args.Input, func(w *estate.Workspace) (*module, error) { return c.newModule(ctx, w) })
	})
}

// SearchNamedWebhooksIntegrations finds named webhooks.
func (*root) SearchNamedWebhooksIntegrations(ctx context.Context, args struct{ Input searchInput }) (*results[*namedWebhook], error) {
	return ask(ctx, func(c *call) (*results[*namedWebhook], error) {
		all, err := c.namedWebhooks(ctx)
		if err != nil {
			return nil, err
		}
		list := make([]found[*subscription.Subscription], 0, len(all))
		for _, s := range all {
			list = append(list, found[*subscription.Subscription]{
				object: s, id: webhookID(s), name: s.Name, made: s.CreatedAt.UnixNano(), fields: c.namedFields(ctx, s),
			})
		}
		return show(list, args.Input, func(s *subscription.Subscription) (*namedWebhook, error) { return c.newNamed(ctx, s) })
	})
}

// SearchPolicies finds policies.
func (*root) SearchPolicies(ctx context.Context, args struct{ Input searchInput }) (*results[*policy], error) {
	return ask(ctx, func(c *call) (*results[*policy], error) {
		all, err := c.policyRecords(ctx)
		if err != nil {
			return nil, err
		}
		list := make([]found[policyRecord], 0, len(all))
		for i := range all {
			p := &all[i]
			list = append(list, found[policyRecord]{object: *p, id: p.ID, name: p.Name, made: p.CreatedAt.UnixNano(), fields: c.policyFields(ctx, p)})
		}
		return show(list, args.Input, func(p policyRecord) (*policy, error) { return c.newPolicy(ctx, &p) })
	})
}
