package pulumi_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/backend/httpstate/client"
	esc "github.com/pulumi/pulumi/pkg/v3/cmd/esc/cli/client"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"carillon/test/conformance"
)

func quiet() diag.Sink {
	return diag.DefaultSink(io.Discard, io.Discard, diag.FormatOptions{Color: colors.Never})
}

// TestClientForOrganizations drives the client that the command is made of.
func TestClientForOrganizations(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	c, ctx := client.NewClient(p.URL, p.admin, false, quiet()), t.Context()
	made, err := c.CreateOrgWebhook(ctx, "acme", apitype.Webhook{
		OrganizationName: "acme", DisplayName: "one", PayloadURL: sink.URL, Active: true, Secret: "s3cret",
		Filters: []string{"update_failed", "stack_deleted"}, Groups: []string{"policies"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Name) != 8 || made.Format == nil || *made.Format != "raw" || !made.HasSecret || made.SecretCiphertext == "" || made.Secret != "" || !slices.Equal(made.Filters, []string{"update_failed", "stack_deleted"}) {
		t.Errorf("made %+v", made)
	}
	read, err := c.GetOrgWebhook(ctx, "acme", made.Name)
	if err != nil || read.SecretCiphertext != made.SecretCiphertext {
		t.Errorf("read %+v, %v", read, err)
	}
	read.DisplayName, read.Filters = "two", nil
	changed, err := c.UpdateOrgWebhook(ctx, "acme", made.Name, read) // the whole document goes back
	if err != nil || changed.DisplayName != "two" || changed.Filters != nil || !changed.HasSecret || changed.SecretCiphertext != made.SecretCiphertext {
		t.Errorf("changed %+v, %v", changed, err)
	}
	ping, err := c.PingOrgWebhook(ctx, "acme", made.Name)
	if err != nil || ping.ResponseCode != http.StatusOK || ping.Kind != "ping" {
		t.Errorf("ping %+v, %v", ping, err)
	}
	rows, err := c.ListOrgWebhookDeliveries(ctx, "acme", made.Name)
	if err != nil || len(rows) != 1 || rows[0] != ping {
		t.Errorf("rows %+v, want %+v, %v", rows, ping, err)
	}
	all, err := c.ListOrgWebhooks(ctx, "acme")
	if err != nil || len(all) != 1 || all[0].Name != made.Name {
		t.Errorf("all %+v, %v", all, err)
	}
	if err := c.DeleteOrgWebhook(ctx, "acme", made.Name); err != nil {
		t.Error(err)
	}
	if _, err := c.GetOrgWebhook(ctx, "acme", made.Name); err == nil || !strings.Contains(err.Error(), "[404] Not Found: Webhook '"+made.Name+"' not found") {
		t.Error(err)
	}
}

func TestClientForStacks(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	c, ctx := client.NewClient(p.URL, p.admin, false, quiet()), t.Context()
	stack := client.StackIdentifier{Owner: "acme", Project: "web site", Stack: tokens.MustParseStackName("prod")}
	made, err := c.CreateStackWebhook(ctx, stack, apitype.Webhook{
		OrganizationName: "acme", ProjectName: ptr("web site"), StackName: ptr("prod"), DisplayName: "one", PayloadURL: sink.URL, Active: true,
	})
	if err != nil || *made.ProjectName != "web site" {
		t.Fatalf("made %+v, %v", made, err)
	}
	ping, err := c.PingStackWebhook(ctx, stack, made.Name)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.RedeliverStackWebhookEvent(ctx, stack, made.Name, ping.ID)
	if err != nil || again.ID != ping.ID || again.Payload != ping.Payload {
		t.Errorf("again %+v, %v", again, err)
	}
	rows, err := c.ListStackWebhookDeliveries(ctx, stack, made.Name)
	if err != nil || len(rows) != 2 || rows[0] != again || rows[1] != ping {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if err := c.DeleteStackWebhook(ctx, stack, made.Name); err != nil {
		t.Error(err)
	}
}

func TestClientForEnvironments(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	c, ctx := esc.New("conformance/1", p.URL, p.admin, false), t.Context()
	if hooks, err := c.ListEnvironmentWebhooks(ctx, "acme", "website", "prod"); err != nil || len(hooks) != 0 {
		t.Errorf("hooks %+v, %v", hooks, err)
	}
	made, err := c.CreateEnvironmentWebhook(ctx, "acme", "website", "prod", esc.CreateEnvironmentWebhookRequest{
		Active: true, DisplayName: "one", OrganizationName: "acme", ProjectName: "website", EnvName: "prod", PayloadURL: sink.URL,
		Groups: []string{"change_requests", "environments"}, Secret: "z",
	})
	if err != nil || made.Format != "raw" || !made.HasSecret || made.EnvName != "prod" || !slices.Equal(made.Groups, []string{"change_requests", "environments"}) {
		t.Fatalf("made %+v, %v", made, err)
	}
	changed, err := c.UpdateEnvironmentWebhook(ctx, "acme", "website", "prod", made.Name, esc.UpdateEnvironmentWebhookRequest{
		Active: true, DisplayName: "two", PayloadURL: sink.URL,
	})
	if err != nil || changed.Groups != nil || changed.Format != "raw" || changed.SecretCiphertext != made.SecretCiphertext {
		t.Errorf("changed %+v, %v", changed, err)
	}
	ping, err := c.PingEnvironmentWebhook(ctx, "acme", "website", "prod", made.Name)
	if err != nil || ping.ResponseCode != http.StatusOK {
		t.Fatalf("ping %+v, %v", ping, err)
	}
	rows, err := c.ListEnvironmentWebhookDeliveries(ctx, "acme", "website", "prod", made.Name)
	if err != nil || len(rows) != 1 || rows[0] != *ping {
		t.Errorf("rows %+v, %v", rows, err)
	}
	if err := c.DeleteEnvironmentWebhook(ctx, "acme", "website", "prod", made.Name); err != nil {
		t.Error(err)
	}
}

func ptr(text string) *string { return &text }
