package scalr

import (
	"net/url"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// codec spells identifiers of the platform's shape: a prefix and 15 characters of 0-9 and a-v (§5.1).
func codec(prefix string) ident.Codec {
	return ident.Codec{Prefix: prefix, Alphabet: ident.Base32Hex, Length: 15}
}

// Codecs of the platform's kinds of object.
var (
	accountIDs     = codec("acc-")
	environmentIDs = codec("env-")
	workspaceIDs   = codec("ws-")
	runIDs         = codec("run-")
	userIDs        = codec("user-")
	webhookIDs     = codec("wh-")
	endpointIDs    = codec("ep-")
	deliveryIDs    = codec("wd-")
)

func webhookID(s *subscription.Subscription) string {
	return dialect.ExternalID(Name, s.ExternalIDs, webhookIDs, s.ID)
}

func workspaceID(w *event.Workspace) string {
	return dialect.ExternalID(Name, w.ExternalIDs, workspaceIDs, w.ID)
}

func environmentID(p *event.Project) string {
	return dialect.ExternalID(Name, p.ExternalIDs, environmentIDs, p.ID)
}

// runID keeps an identifier that the run has on the platform; any other run gets a stable one. Clients refuse identifiers
// with other characters (§5.1), so that what a source merely calls its run is not used.
func runID(r *event.Run) string {
	if given := r.ExternalIDs[Name]; given != "" {
		return given
	}
	if r.ID == 0 { // an example that was never accepted
		return runIDs.Encode(ident.Derive("run", r.SourceID))
	}
	return runIDs.Encode(r.ID)
}

// The pages that payloads link to are ours, unless the source knows its own (§3).

func environmentPage(site dialect.Site, e *event.Event) string {
	if e.Project == nil {
		return site.BaseURL + "/"
	}
	if e.Project.URL != "" {
		return e.Project.URL
	}
	return site.BaseURL + "/v2/e/" + url.PathEscape(environmentID(e.Project)) + "/"
}

func workspacePage(site dialect.Site, e *event.Event) string {
	if e.Workspace.URL != "" {
		return e.Workspace.URL
	}
	return ownWorkspacePage(site, e)
}

func ownWorkspacePage(site dialect.Site, e *event.Event) string {
	environment := ""
	if e.Project != nil {
		environment = environmentID(e.Project)
	}
	return site.BaseURL + "/v2/e/" + url.PathEscape(environment) + "/workspaces/" + url.PathEscape(workspaceID(e.Workspace))
}

func runPage(site dialect.Site, e *event.Event) string {
	if e.Run.URL != "" {
		return e.Run.URL
	}
	return ownWorkspacePage(site, e) + "/runs/" + url.PathEscape(runID(e.Run))
}
