package tfe

import (
	"net/url"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// codec spells identifiers of the platform's shape: a prefix and 16 characters of base58 (§6).
func codec(prefix string) ident.Codec {
	return ident.Codec{Prefix: prefix, Alphabet: ident.Base58, Length: 16}
}

// Codecs of the platform's kinds of object.
var (
	configurationIDs = codec("nc-")
	workspaceIDs     = codec("ws-")
	projectIDs       = codec("prj-")
	teamIDs          = codec("team-")
	userIDs          = codec("user-")
	membershipIDs    = codec("ou-")
	organizationIDs  = codec("org-")
	runIDs           = codec("run-")
	assessmentIDs    = codec("asmtres-")
	changeRequestIDs = codec("wscr-")
)

func configurationID(s *subscription.Subscription) string {
	return dialect.ExternalID(Name, s.ExternalIDs, configurationIDs, s.ID)
}

func workspaceID(w *event.Workspace) string {
	return dialect.ExternalID(Name, w.ExternalIDs, workspaceIDs, w.ID)
}

// runID keeps an identifier of the platform's shape that a run was given; any other run gets a stable one (§3.1). What a
// source merely calls its run is not kept, so that every identifier that we print can be looked up.
func runID(r *event.Run) string {
	if given := r.ExternalIDs[Name]; runIDs.Matches(given) {
		return given
	}
	if r.ID == 0 { // an example that was never accepted
		return runIDs.Encode(ident.Derive("run", r.SourceID))
	}
	return runIDs.Encode(r.ID)
}

// resultID names an assessment's result. It follows from the workspace and the source's own name, so that a result has
// the same identifier when it is new and when it is the prior one of the next.
func resultID(e *event.Event, r *event.AssessmentResult) string {
	switch {
	case assessmentIDs.Matches(r.SourceID):
		return r.SourceID
	case r.SourceID == "" && r == &e.Assessment.New && e.ID != 0:
		return assessmentIDs.Encode(e.ID)
	}
	var place string
	if e.Workspace != nil {
		place = e.Workspace.ID.String()
	}
	return assessmentIDs.Encode(ident.Derive("assessment", place, r.SourceID, r.CreatedAt.UTC().Format(secondsUTC)))
}

func changeRequestID(e *event.Event) string {
	if changeRequestIDs.Matches(e.ChangeRequest.SourceID) {
		return e.ChangeRequest.SourceID
	}
	return changeRequestIDs.Encode(e.ID)
}

// workspacePage is the address of a workspace in the platform's UI, which our pages serve too.
func workspacePage(site dialect.Site, e *event.Event) string {
	return site.BaseURL + workspacePath(e.Organization.Name, e.Workspace.Name)
}

func workspacePath(organization, workspace string) string {
	return "/app/" + url.PathEscape(organization) + "/" + url.PathEscape(workspace)
}

func runPage(site dialect.Site, e *event.Event) string {
	return workspacePage(site, e) + "/runs/" + runID(e.Run)
}

func changeRequestPage(site dialect.Site, e *event.Event) string {
	return site.BaseURL + "/app/" + url.PathEscape(e.Organization.Name) + "/workspaces/" + url.PathEscape(e.Workspace.Name) +
		"/change-requests/" + changeRequestID(e)
}
