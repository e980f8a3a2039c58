package runner

import (
	"strings"

	"carillon/internal/fault"
)

// Place names a workspace: organization, project and name. Every part may be empty.
type Place struct {
	Organization string
	Project      string
	Name         string
}

// ParsePlace reads ORG/PROJECT/NAME, ORG/NAME or NAME.
func ParsePlace(text string) (Place, error) {
	parts := strings.Split(text, "/")
	for _, part := range parts {
		if strings.TrimSpace(part) == "" || len(parts) > 3 {
			return Place{}, fault.At("/workspace", "The workspace %q can not be read: write ORG/PROJECT/NAME, ORG/NAME or NAME.", text)
		}
	}
	switch len(parts) {
	case 1:
		return Place{Name: parts[0]}, nil
	case 2:
		return Place{Organization: parts[0], Name: parts[1]}, nil
	default:
		return Place{Organization: parts[0], Project: parts[1], Name: parts[2]}, nil
	}
}

// String spells the place as ParsePlace reads it.
func (p Place) String() string {
	switch {
	case p.Organization == "":
		return p.Name
	case p.Project == "":
		return p.Organization + "/" + p.Name
	}
	return p.Organization + "/" + p.Project + "/" + p.Name
}

// Or fills the empty parts of the place from another. Once the place names a workspace, the other's organization and
// project still count: a flag that gives only the name leaves the rest to the tool's own files.
func (p Place) Or(other Place) Place {
	if p.Organization == "" {
		p.Organization = other.Organization
	}
	if p.Project == "" {
		p.Project = other.Project
	}
	if p.Name == "" {
		p.Name = other.Name
	}
	return p
}
