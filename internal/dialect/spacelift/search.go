package spacelift

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"carillon/internal/estate"
	"carillon/internal/subscription"
)

// searchInput is the schema's SearchInput. Every member may be null or missing (§5.6).
type searchInput struct {
	First          *int32
	After          *string
	FullTextSearch *string
	Predicates     *[]predicate
	OrderBy        *order
}

type predicate struct {
	Field      string
	Constraint constraint
	Exclude    *bool
}

type constraint struct {
	BooleanEquals *[]bool
	EnumEquals    *[]string
	StringMatches *[]string
}

type order struct{ Field, Direction string }

// pageInfo is the schema's PageInfo.
type pageInfo struct {
	StartCursor, EndCursor       string
	HasNextPage, HasPreviousPage bool
}

// Sizes of a page (§5.6).
const (
	pageDefault = 50
	pageMost    = 100
)

// found is one object as a search sees it. Fields give the values that predicates compare with.
type found[T any] struct {
	object T
	id     string
	name   string
	made   int64
	fields func(field string) (values []string, known bool, err error)
}

// search chooses, orders and cuts a page out of all objects.
func search[T any](all []found[T], in searchInput) (page []found[T], info pageInfo, err error) {
	key, descending, err := in.order()
	if err != nil {
		return nil, info, err
	}
	var chosen []found[T]
	for _, f := range all {
		fits, err := in.fits(f.id, f.name, f.fields)
		if err != nil {
			return nil, info, err
		}
		if fits {
			chosen = append(chosen, f)
		}
	}
	at := func(f found[T]) position { return position{Key: keyOf(f, key), ID: f.id} }
	slices.SortStableFunc(chosen, func(a, b found[T]) int { return at(a).compare(at(b), descending) })
	start := 0
	if after := value(in.After); after != "" {
		behind, err := decodePosition(after)
		if err != nil {
			return nil, info, err
		}
		for start < len(chosen) && at(chosen[start]).compare(behind, descending) <= 0 {
			start++
		}
	}
	size := pageDefault
	if in.First != nil {
		size = min(max(int(*in.First), 0), pageMost)
	}
	end := min(start+size, len(chosen))
	page = chosen[start:end]
	info.HasPreviousPage, info.HasNextPage = start > 0, end < len(chosen) && len(page) > 0
	if len(page) > 0 {
		info.StartCursor, info.EndCursor = at(page[0]).encode(), at(page[len(page)-1]).encode()
	}
	return page, info, nil
}

func keyOf[T any](f found[T], key string) string {
	switch key {
	case "name":
		return f.name
	case "createdAt":
		text := strconv.FormatInt(f.made, 10)
		return strings.Repeat("0", max(0, 20-len(text))) + text
	}
	return f.id
}

// order is what to sort by: the identifier, upwards, when nothing is said.
func (in searchInput) order() (key string, descending bool, err error) {
	if in.OrderBy == nil {
		return "id", false, nil
	}
	key = in.OrderBy.Field
	if key != "id" && key != "name" && key != "createdAt" {
		return "", false, problem(`can not order by "` + key + `": use id, name or createdAt`)
	}
	switch in.OrderBy.Direction {
	case "ASC":
		return key, false, nil
	case "DESC":
		return key, true, nil
	}
	return "", false, problem(`the direction "` + in.OrderBy.Direction + `" is neither ASC nor DESC`)
}

// fits reports whether an object has what the search asks for: all predicates, one value of each.
func (in searchInput) fits(id, name string, fields func(string) ([]string, bool, error)) (bool, error) {
	if text := strings.ToLower(value(in.FullTextSearch)); text != "" &&
		!strings.Contains(strings.ToLower(id), text) && !strings.Contains(strings.ToLower(name), text) {
		return false, nil
	}
	fits := true
	for _, p := range value(in.Predicates) {
		values, known, err := fields(p.Field)
		if err != nil {
			return false, err
		}
		if !known {
			return false, problem(`unknown search field "` + p.Field + `"`)
		}
		if p.Constraint.matches(values) == value(p.Exclude) {
			fits = false
		}
	}
	return fits, nil
}

// matches reports whether a value is among those wanted; a constraint that wants nothing is met by everything.
func (c constraint) matches(values []string) bool {
	var wanted []string
	for _, b := range value(c.BooleanEquals) {
		wanted = append(wanted, strconv.FormatBool(b))
	}
	wanted = append(append(wanted, value(c.EnumEquals)...), value(c.StringMatches)...)
	if c.BooleanEquals == nil && c.EnumEquals == nil && c.StringMatches == nil {
		return true
	}
	return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(wanted, v) })
}

// position is where an object stands in an order. A cursor is one, so that a page starts behind it even when its object
// is gone.
type position struct {
	Key string `json:"k"`
	ID  string `json:"i"`
}

func (p position) compare(o position, descending bool) int {
	c := strings.Compare(p.Key, o.Key)
	if c == 0 {
		c = strings.Compare(p.ID, o.ID)
	}
	if descending {
		return -c
	}
	return c
}

func (p position) encode() string {
	raw, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodePosition(cursor string) (p position, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return p, problem("the cursor is not one of ours")
	}
	return p, nil
}

// stackFields are what stacks and modules can be searched by (§5.6).
func (c *call) stackFields(ctx context.Context, w *estate.Workspace) func(string) ([]string, bool, error) {
	return func(field string) ([]string, bool, error) {
		record := recordOf(w)
		in := stackInput{}
		if record.Stack != nil {
			in = *record.Stack
		}
		switch field {
		case "id":
			return []string{stackIDOf(w)}, true, nil
		case "name":
			return []string{nameOf(w, &record)}, true, nil
		case "space":
			s, err := c.spaceOf(ctx, w.ProjectID)
			if err != nil {
				return nil, true, err
			}
			return []string{string(s.ID)}, true, nil
		case "createdAt":
			return []string{strconv.FormatInt(seconds(w.CreatedAt), 10)}, true, nil
		case "administrative":
			return []string{strconv.FormatBool(in.Administrative)}, true, nil
		case "branch":
			return []string{w.Branch}, true, nil
		case "commit":
			return nil, true, nil
		case "label":
			return w.Tags, true, nil
		case "locked":
			return []string{"false"}, true, nil
		case "projectRoot":
			return []string{value(in.ProjectRoot)}, true, nil
		case "repository":
			_, name := splitRepository(w.Repository)
			return []string{name}, true, nil
		case "state":
			e, err := c.lastRun(ctx, w.ID)
			if e == nil || err != nil {
				return []string{stackStateNone}, true, err
			}
			return []string{lastWord(e)}, true, nil
		case "vendor":
			return []string{vendorName(in.VendorConfig)}, true, nil
		case "workerPool":
			return []string{string(value(in.WorkerPool))}, true, nil
		}
		return nil, false, nil
	}
}

// vendorName is what searches call a stack's tool.
func vendorName(in *vendorInput) string {
	v := newVendor(in)
	switch {
	case v.ansible != nil:
		return "Ansible"
	case v.cloudFormation != nil:
		return "CloudFormation"
	case v.kubernetes != nil:
		return "Kubernetes"
	case v.openTofu != nil:
		return "OpenTofu"
	case v.pulumi != nil:
		return "Pulumi"
	case v.terragrunt != nil:
		return "Terragrunt"
	}
	return "Terraform"
}

// namedFields are what named webhooks can be searched by.
func (c *call) namedFields(ctx context.Context, s *subscription.Subscription) func(string) ([]string, bool, error) {
	return func(field string) ([]string, bool, error) {
		switch field {
		case "id":
			return []string{webhookID(s)}, true, nil
		case "name":
			return []string{s.Name}, true, nil
		case "enabled":
			return []string{strconv.FormatBool(s.Enabled)}, true, nil
		case "label":
			return settingsOf(s).Labels, true, nil
		case "endpoint":
			plain, err := c.Subscriptions.Reveal(ctx, estate.System(), s.ID)
			return []string{plain.URL}, true, err
		case "space":
			where, err := c.spaceOf(ctx, s.Scope().ID)
			if err != nil {
				return nil, true, err
			}
			return []string{string(where.ID)}, true, nil
		}
		return nil, false, nil
	}
}

// policyFields are what policies can be searched by.
func (c *call) policyFields(ctx context.Context, p *policyRecord) func(string) ([]string, bool, error) {
	return func(field string) ([]string, bool, error) {
		switch field {
		case "id":
			return []string{p.ID}, true, nil
		case "name":
			return []string{p.Name}, true, nil
		case "type":
			return []string{p.Type}, true, nil
		case "label":
			return p.Labels, true, nil
		case "engineType":
			return []string{p.Engine}, true, nil
		case "createdAt":
			return []string{strconv.FormatInt(seconds(p.CreatedAt), 10)}, true, nil
		case "space":
			where, err := c.spaceOf(ctx, p.Project)
			if err != nil {
				return nil, true, err
			}
			return []string{string(where.ID)}, true, nil
		}
		return nil, false, nil
	}
}
