package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"carillon/client"
)

// subscriptionCommand manages subscriptions.
type subscriptionCommand struct {
	List    subscriptionList    `cmd:"" help:"List subscriptions."`
	Show    subscriptionShow    `cmd:"" help:"Show one subscription."`
	Create  subscriptionCreate  `cmd:"" help:"Create a subscription."`
	Verify  subscriptionVerify  `cmd:"" help:"Send the verification request of the subscription's platform."`
	Enable  subscriptionEnable  `cmd:"" help:"Switch a subscription on."`
	Disable subscriptionDisable `cmd:"" help:"Switch a subscription off; what it is still owed is cancelled."`
	Delete  subscriptionDelete  `cmd:"" help:"Delete a subscription; what it is still owed is cancelled."`
}

type subscriptionList struct {
	connection
	output
	Organization string `help:"Only those of an organization." placeholder:"ORG"`
	Dialect      string `help:"Only those of a dialect." placeholder:"NAME"`
}

// Run lists the subscriptions that the token sees.
func (o *subscriptionList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	query := url.Values{}
	setIf(query, "organization", o.Organization)
	setIf(query, "dialect", o.Dialect)
	all, err := client.All[client.Subscription](ctx, c, "/v1/subscriptions", query, 0)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "ID", "NAME", "DIALECT", "CHANNEL", "ENABLED", "TRIGGERS", "ADDRESS")
		for _, s := range all {
			row(w, s.ID, s.Name, s.Dialect, s.Channel, s.Enabled, triggersText(s), s.Address)
		}
	})
}

func setIf(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

func triggersText(s client.Subscription) any {
	if s.All {
		return "all"
	}
	return s.Triggers
}

// oneSubscription names the subscription that a command is about.
type oneSubscription struct {
	connection
	output
	ID string `arg:"" help:"The subscription's identifier, as the list shows it."`
}

// act makes a request about the subscription and shows it as it is then.
func (o *oneSubscription) act(ctx context.Context, g *globals, method, action string) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	var s client.Subscription
	if err := c.Call(ctx, method, "/v1/subscriptions/"+url.PathEscape(o.ID)+action, nil, &s); err != nil {
		return err
	}
	return showSubscription(g, o.output, s)
}

func showSubscription(g *globals, o output, s client.Subscription) error {
	return o.print(g.streams.Out, s, func(w io.Writer) {
		row(w, "id", s.ID)
		row(w, "name", s.Name)
		row(w, "dialect", s.Dialect)
		row(w, "channel", s.Channel)
		row(w, "enabled", s.Enabled)
		if s.DisabledReason != "" {
			row(w, "disabled because", s.DisabledReason)
		}
		for _, scope := range s.Scopes {
			row(w, "listens to", scope.Level+" "+scope.ID)
		}
		row(w, "triggers", triggersText(s))
		row(w, "address", s.Address)
		row(w, "secret", map[bool]string{true: "set", false: "none"}[s.HasSecret])
		row(w, "created", s.CreatedAt)
		row(w, "changed", s.UpdatedAt)
	})
}

type subscriptionShow struct{ oneSubscription }

// Run shows a subscription.
func (o *subscriptionShow) Run(ctx context.Context, g *globals) error {
	return o.act(ctx, g, http.MethodGet, "")
}

type subscriptionEnable struct{ oneSubscription }

// Run switches a subscription on.
func (o *subscriptionEnable) Run(ctx context.Context, g *globals) error {
	return o.act(ctx, g, http.MethodPost, "/enable")
}

type subscriptionDisable struct{ oneSubscription }

// Run switches a subscription off.
func (o *subscriptionDisable) Run(ctx context.Context, g *globals) error {
	return o.act(ctx, g, http.MethodPost, "/disable")
}

type subscriptionDelete struct {
	connection
	ID string `arg:"" help:"The subscription's identifier, as the list shows it."`
}

// Run deletes a subscription.
func (o *subscriptionDelete) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := c.Call(ctx, http.MethodDelete, "/v1/subscriptions/"+url.PathEscape(o.ID), nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(g.streams.Out, "deleted", o.ID)
	return nil
}

type subscriptionVerify struct{ oneSubscription }

// Run sends the verification and shows what was answered.
func (o *subscriptionVerify) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	var attempt client.Attempt
	if err := c.Call(ctx, http.MethodPost, "/v1/subscriptions/"+url.PathEscape(o.ID)+"/verify", nil, &attempt); err != nil {
		return err
	}
	return o.print(g.streams.Out, attempt, func(w io.Writer) {
		row(w, "verified:", fmt.Sprintf("the destination answered %d in %.1f ms", attempt.Status, attempt.DurationMS))
	})
}

type subscriptionCreate struct {
	connection
	output
	At          string   `arg:"" help:"What to listen to: ORG, ORG/WORKSPACE or ORG/PROJECT/WORKSPACE." placeholder:"ORG/NAME"`
	Name        string   `required:"" help:"Name for people."`
	Dialect     string   `required:"" help:"In which platform's format; 'carillon dialects' lists them." placeholder:"NAME"`
	Channel     string   `default:"webhook" help:"webhook, slack, teams or email." placeholder:"CHANNEL"`
	URL         string   `name:"url" help:"Where to send." placeholder:"URL"`
	Secret      string   `help:"Key of the signature. Better in the variable CARILLON_SECRET." placeholder:"TEXT"`
	Email       []string `help:"Addresses that get mail." placeholder:"ADDRESS,…"`
	Trigger     []string `help:"Triggers to hear of, in the platform's words." placeholder:"TRIGGER,…"`
	AllTriggers bool     `help:"Hear of everything."`
	Disabled    bool     `help:"Create it switched off."`
	Verify      bool     `help:"Save only if the destination answers a verification request with success."`
}

// Run creates a subscription.
func (o *subscriptionCreate) Run(ctx context.Context, g *globals) error {
	p, err := parsePath(o.At, 1, 3)
	if err != nil {
		return err
	}
	if !o.AllTriggers && len(o.Trigger) == 0 {
		return usageError{fmt.Errorf("a subscription without triggers hears nothing: give --trigger or --all-triggers")}
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	enabled := !o.Disabled
	made, err := c.CreateSubscription(ctx, client.SubscriptionDraft{
		Organization: p.organization, Dialect: o.Dialect, Channel: o.Channel, Name: o.Name, Enabled: &enabled,
		Scopes: []client.Scope{p.scope()}, All: o.AllTriggers, Triggers: o.Trigger, URL: o.URL, Secret: o.Secret, Emails: o.Email,
	}, o.Verify)
	if err != nil {
		return err
	}
	return showSubscription(g, o.output, made)
}
