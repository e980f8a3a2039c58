package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"carillon/client"
)

// connection is where a client command finds its server.
type connection struct {
	Server string `default:"http://127.0.0.1:8080" help:"Address of the server." placeholder:"URL"`
	Token  string `help:"API token. Better in the variable than on the command line." placeholder:"TOKEN"`
}

// client connects, or says how to.
func (c connection) client() (*client.Client, error) {
	if c.Token == "" {
		return nil, usageError{errors.New("no token is set: give CARILLON_TOKEN (the server printed one at its first start)")}
	}
	made, err := client.New(client.Options{Server: c.Server, Token: c.Token, UserAgent: "carillon/" + Version})
	if err != nil {
		return nil, usageError{err}
	}
	return made, nil
}

// path is a workspace as people write it: ORG, ORG/NAME, or ORG/PROJECT/NAME.
type path struct{ organization, project, workspace string }

// parsePath reads a path with as many parts as allowed.
func parsePath(text string, least, most int) (path, error) {
	parts := strings.Split(text, "/")
	for _, part := range parts {
		if part == "" {
			return path{}, usageError{fmt.Errorf("%q has an empty part: write ORG, ORG/NAME or ORG/PROJECT/NAME", text)}
		}
	}
	if len(parts) < least || len(parts) > most {
		return path{}, usageError{fmt.Errorf("%q does not name what is needed: write %s", text, forms(least, most))}
	}
	p := path{organization: parts[0]}
	switch len(parts) {
	case 2:
		p.workspace = parts[1]
	case 3:
		p.project, p.workspace = parts[1], parts[2]
	}
	return p, nil
}

func forms(least, most int) string {
	all := []string{"ORG", "ORG/NAME", "ORG/PROJECT/NAME"}
	return strings.Join(all[least-1:most], " or ")
}

// scope is the place that a path names, for a subscription.
func (p path) scope() client.Scope {
	if p.workspace == "" {
		return client.Scope{Level: "organization"}
	}
	return client.Scope{Level: "workspace", Name: p.workspace, Project: p.project}
}

// get reads one object.
func get[T any](ctx context.Context, c *client.Client, path ...string) (T, error) {
	var out T
	escaped := make([]string, len(path))
	for i, part := range path {
		escaped[i] = url.PathEscape(part)
	}
	err := c.Call(ctx, "GET", "/v1/"+strings.Join(escaped, "/"), nil, &out)
	return out, err
}
