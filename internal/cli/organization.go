package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"carillon/client"
)

// organizationCommand manages organizations.
type organizationCommand struct {
	List   organizationList   `cmd:"" help:"List organizations."`
	Create organizationCreate `cmd:"" help:"Create an organization."`
}

type organizationList struct {
	connection
	output
}

// Run lists the organizations that the token sees.
func (o *organizationList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	all, err := client.All[client.Organization](ctx, c, "/v1/organizations", nil, 0)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "NAME", "DISPLAY NAME", "ID", "CREATED")
		for _, each := range all {
			row(w, each.Name, each.DisplayName, each.ID, each.CreatedAt)
		}
	})
}

type organizationCreate struct {
	connection
	output
	Name        string `arg:"" help:"Name, as it stands in addresses."`
	DisplayName string `help:"Name for people."`
}

// Run creates an organization.
func (o *organizationCreate) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	var made client.Organization
	in := map[string]string{"name": o.Name, "display_name": o.DisplayName}
	if err := c.Call(ctx, http.MethodPost, "/v1/organizations", in, &made); err != nil {
		return err
	}
	return o.print(g.streams.Out, made, func(w io.Writer) {
		fmt.Fprintf(w, "created organization %s (%s)\n", made.Name, made.ID)
	})
}

// workspaceCommand manages workspaces.
type workspaceCommand struct {
	List   workspaceList   `cmd:"" help:"List an organization's workspaces."`
	Create workspaceCreate `cmd:"" help:"Create a workspace. A run's first event makes one too."`
}

type workspaceList struct {
	connection
	output
	Organization string `arg:"" help:"Name of the organization."`
}

// Run lists the workspaces of an organization.
func (o *workspaceList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	all, err := client.All[client.Workspace](ctx, c, "/v1/workspaces", url.Values{"organization": {o.Organization}}, 0)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, all, func(w io.Writer) {
		row(w, "NAME", "PROJECT", "ID", "CREATED")
		for _, each := range all {
			row(w, each.Name, each.ProjectID, each.ID, each.CreatedAt)
		}
	})
}

type workspaceCreate struct {
	connection
	output
	Path string `arg:"" help:"ORG/NAME, or ORG/PROJECT/NAME." placeholder:"ORG/NAME"`
}

// Run creates a workspace.
func (o *workspaceCreate) Run(ctx context.Context, g *globals) error {
	p, err := parsePath(o.Path, 2, 3)
	if err != nil {
		return err
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	var made client.Workspace
	in := map[string]string{"name": p.workspace, "project": p.project}
	at := "/v1/organizations/" + url.PathEscape(p.organization) + "/workspaces"
	if err := c.Call(ctx, http.MethodPost, at, in, &made); err != nil {
		return err
	}
	return o.print(g.streams.Out, made, func(w io.Writer) {
		fmt.Fprintf(w, "created workspace %s (%s)\n", o.Path, made.ID)
	})
}
