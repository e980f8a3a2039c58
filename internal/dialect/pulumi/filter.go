package pulumi

import (
	"slices"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// Groups of filters (§4.1).
const (
	groupStacks         = "stacks"
	groupDeployments    = "deployments"
	groupPolicies       = "policies"
	groupEnvironments   = "environments"
	groupChangeRequests = "change_requests"
)

// reach is where a filter may be named beside an organization.
type reach int

const (
	organizationOnly reach = iota
	stackToo
	environmentToo
)

// filter is a row of §4.1.
type filter struct {
	name  string
	kind  string
	group string
	reach reach
}

// filters lists all 44 in the platform's order.
var filters = slices.Concat(
	family(kindStack, groupStacks, organizationOnly, "stack_created", "stack_deleted"),
	family(kindUpdate, groupStacks, stackToo, "update_succeeded", "update_failed"),
	family(kindPreview, groupStacks, stackToo, "preview_succeeded", "preview_failed"),
	family(kindUpdate, groupStacks, stackToo,
		"destroy_succeeded", "destroy_failed", "refresh_succeeded", "refresh_failed", "import_succeeded", "import_failed"),
	family(kindDeployment, groupDeployments, stackToo,
		"deployment_queued", "deployment_started", "deployment_succeeded", "deployment_failed"),
	family(kindDrift, groupDeployments, stackToo, "drift_detected", "drift_detection_succeeded", "drift_detection_failed"),
	family(kindRemediation, groupDeployments, stackToo, "drift_remediation_succeeded", "drift_remediation_failed"),
	family(kindDeployment, groupDeployments, stackToo, "deployment_file_ingestion_failed"),
	family(kindPolicy, groupPolicies, stackToo, "policy_violation_mandatory", "policy_violation_advisory"),
	family(kindEnvironment, groupEnvironments, organizationOnly, "environment_created", "environment_deleted"),
	family(kindRevision, groupEnvironments, environmentToo, "environment_revision_created", "environment_revision_retracted"),
	family(kindRevisionTag, groupEnvironments, environmentToo,
		"environment_revision_tag_created", "environment_revision_tag_deleted", "environment_revision_tag_updated"),
	family(kindTag, groupEnvironments, environmentToo,
		"environment_tag_created", "environment_tag_deleted", "environment_tag_updated"),
	family(kindImported, groupEnvironments, environmentToo, "imported_environment_changed"),
	family(kindRotation, groupEnvironments, environmentToo, "environment_rotation_succeeded", "environment_rotation_failed"),
	family(kindChangeRequest, groupChangeRequests, environmentToo,
		"change_request_created", "change_request_updated", "change_request_approved", "change_request_unapproved",
		"change_request_closed", "change_request_applied", "change_request_submitted"),
)

// groups lists the groups in the order of a form.
var groups = []string{groupStacks, groupDeployments, groupPolicies, groupEnvironments, groupChangeRequests}

func family(kind, group string, r reach, names ...string) []filter {
	list := make([]filter, len(names))
	for i, name := range names {
		list[i] = filter{name, kind, group, r}
	}
	return list
}

// filterNamed returns the filter of a name, nil if there is none.
func filterNamed(name string) *filter {
	i := slices.IndexFunc(filters, func(f filter) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &filters[i]
}

// openTo reports whether a webhook of the level may name the filter.
func (f filter) openTo(level subscription.Level) bool {
	switch level {
	case subscription.LevelOrganization:
		return true
	case subscription.LevelWorkspace:
		return f.reach == stackToo
	case subscription.LevelEnvironment:
		return f.reach == environmentToo
	}
	return false
}

// isFilter reports whether webhooks of the level may name the filter.
func isFilter(name string, level subscription.Level) bool {
	f := filterNamed(name)
	return f != nil && f.openTo(level)
}

// isGroup reports whether webhooks of the level may name the group: one that has filters there.
func isGroup(name string, level subscription.Level) bool {
	return slices.ContainsFunc(filters, func(f filter) bool { return f.group == name && f.openTo(level) })
}

// Triggers lists the groups and filters that webhooks of a level may name. The platform has none of projects and teams.
func (*Dialect) Triggers(level subscription.Level) []dialect.Trigger {
	var list []dialect.Trigger
	for _, group := range groups {
		if isGroup(group, level) {
			list = append(list, dialect.Trigger{Value: group, Title: "All of " + spaced(group), Group: "Groups"})
		}
	}
	for _, group := range groups {
		for _, f := range filters {
			if f.group == group && f.openTo(level) {
				list = append(list, dialect.Trigger{Value: f.name, Title: title(f.name), Group: title(group)})
			}
		}
	}
	return list
}

// spaced is one of the platform's words for people.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// title is one of the platform's words as a heading.
func title(word string) string {
	text := spaced(word)
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// split parts what a subscription names into filters and groups, each in the order given.
func split(triggers []string) (named, grouped []string) {
	for _, value := range triggers {
		if slices.Contains(groups, value) {
			grouped = append(grouped, value)
		} else {
			named = append(named, value)
		}
	}
	return named, grouped
}
