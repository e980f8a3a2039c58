package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"carillon/client"
)

// tokenCommand manages API tokens.
type tokenCommand struct {
	List   tokenList   `cmd:"" help:"List the tokens that you may revoke."`
	Create tokenCreate `cmd:"" help:"Create a token; its text is shown this once."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token."`
}

type tokenList struct {
	connection
	output
}

// Run lists tokens.
func (o *tokenList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	all, err := client.All[client.Token](ctx, c, "/v1/tokens", nil, 0)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "ID", "NAME", "ENDS WITH", "ADMINISTRATOR", "CREATED", "EXPIRES")
		for _, t := range all {
			row(w, t.ID, t.Name, t.Hint, t.SiteAdmin, t.CreatedAt, t.ExpiresAt)
		}
	})
}

type tokenCreate struct {
	connection
	output
	Name      string        `arg:"" help:"What the token is for."`
	Role      string        `default:"writer" enum:"reader,writer,admin,owner" help:"What it may do: ${enum}."`
	At        string        `help:"Where: ORG, ORG/WORKSPACE or ORG/PROJECT/WORKSPACE." placeholder:"ORG"`
	SiteAdmin bool          `help:"May do everything in this installation."`
	Expires   time.Duration `help:"Valid for so long; without end by default." placeholder:"DURATION"`
}

// Run creates a token.
func (o *tokenCreate) Run(ctx context.Context, g *globals) error {
	draft := client.TokenDraft{Name: o.Name, SiteAdmin: o.SiteAdmin}
	switch {
	case o.At == "" && !o.SiteAdmin:
		return usageError{errors.New("say where the token counts: --at ORG, or --site-admin for everywhere")}
	case o.At != "":
		p, err := parsePath(o.At, 1, 3)
		if err != nil {
			return err
		}
		draft.Grants = []client.Grant{{Organization: p.organization, Project: p.project, Workspace: p.workspace, Role: o.Role}}
	}
	if o.Expires > 0 {
		at := time.Now().Add(o.Expires)
		draft.ExpiresAt = &at
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	var made client.Token
	if err := c.Call(ctx, http.MethodPost, "/v1/tokens", draft, &made); err != nil {
		return err
	}
	return o.print(g.streams.Out, made, func(w io.Writer) { fmt.Fprintln(w, made.Token) })
}

type tokenRevoke struct {
	connection
	ID string `arg:"" help:"The token's identifier, as the list shows it."`
}

// Run revokes a token.
func (o *tokenRevoke) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	if err := c.Call(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(o.ID), nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(g.streams.Out, "revoked", o.ID)
	return nil
}
