package spacelift_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/shurcooL/graphql"

	"carillon/test/conformance"
)

// bearer adds the token to a client's requests, as the platform's provider does.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Spacelift-Client-Type", "provider")
	return b.next.RoundTrip(r)
}

// connect returns the GraphQL client that the platform's provider is built on. It fails on any field of an answer that was
// not selected.
func connect(p *platform) *graphql.Client {
	next := p.Client().Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return graphql.NewClient(p.URL+"/graphql", &http.Client{Transport: bearer{p.jwt, next}})
}

// WebhooksIntegrationInput is named as the schema's type: the client writes the name into the query.
type WebhooksIntegrationInput struct {
	Enabled        graphql.Boolean  `json:"enabled"`
	Endpoint       graphql.String   `json:"endpoint"`
	Secret         graphql.String   `json:"secret"`
	RetryOnFailure *graphql.Boolean `json:"retryOnFailure"`
}

// TestStrictDecoding is trap 1, with the provider's own client library, over http and https.
func TestStrictDecoding(t *testing.T) {
	t.Parallel()
	starts := map[string]func(testing.TB, ...string) *conformance.Server{"http": conformance.Start, "https": conformance.StartTLS}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &platform{Server: start(t)}
			p.Want(t, 201, "POST", "/v1/organizations", object{"name": "acme"}, nil)
			p.key = p.apiKey(t, "admin")
			p.jwt = p.exchange(t, p.key)
			if !strings.HasPrefix(p.URL, name+"://") || claims(t, p.jwt)["aud"] != p.URL {
				t.Errorf("the audience is %v at %s", claims(t, p.jwt)["aud"], p.URL)
			}
			p.stack(t, "Network")
			strict(t, connect(p))
		})
	}
}

func strict(t *testing.T, client *graphql.Client) {
	t.Helper()
	ctx := context.Background()
	var created struct {
		Webhook struct {
			ID      graphql.ID
			Enabled graphql.Boolean
		} `graphql:"webhooksIntegrationCreate(stack: $stack, input: $input)"`
	}
	input := WebhooksIntegrationInput{Enabled: true, Endpoint: "https://hooks.example.test/", Secret: "s"}
	if err := client.Mutate(ctx, &created, map[string]any{"stack": graphql.ID("network"), "input": input}); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Stack *struct {
			ID           graphql.String
			Integrations *struct {
				Webhooks []struct {
					ID             graphql.ID
					Enabled        graphql.Boolean
					Endpoint       graphql.String
					Secret         graphql.String
					RetryOnFailure *graphql.Boolean
				}
			}
			VendorConfig struct {
				Typename  string `graphql:"__typename"`
				Terraform struct {
					Version      *graphql.String
					WorkflowTool *graphql.String
				} `graphql:"... on StackConfigVendorTerraform"`
				OpenTofu struct {
					OpenTofuWorkflowTool *graphql.String `graphql:"openTofuWorkflowTool: workflowTool"`
				} `graphql:"... on StackConfigVendorOpenTofu"`
			}
		} `graphql:"stack(id: $id)"`
	}
	if err := client.Query(ctx, &read, map[string]any{"id": graphql.ID("network")}); err != nil {
		t.Fatal(err)
	}
	if w := read.Stack.Integrations.Webhooks; len(w) != 1 || w[0].ID != created.Webhook.ID || w[0].Secret != "" || read.Stack.VendorConfig.Typename != "StackConfigVendorTerraform" {
		t.Errorf("got %+v", read.Stack)
	}
	var spaces struct {
		Spaces []struct {
			ID          graphql.String
			ParentSpace *graphql.String
			Labels      []graphql.String
		} `graphql:"spaces()"`
	}
	if err := client.Query(ctx, &spaces, nil); err != nil || len(spaces.Spaces) != 2 {
		t.Errorf("got %+v, %v", spaces, err)
	}
	if err := client.Query(ctx, &read, map[string]any{"id": graphql.ID("absent")}); err != nil || read.Stack != nil {
		t.Errorf("an absent stack: %+v, %v", read.Stack, err)
	}
}
