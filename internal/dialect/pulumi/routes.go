package pulumi

import (
	_ "embed"
)

// Base paths of the three scopes (§5.1).
const (
	organizationBase = "/api/orgs/{org}/hooks"
	stackBase        = "/api/stacks/{org}/{project}/{stack}/hooks"
	environmentBase  = "/api/esc/environments/{org}/{project}/{env}/hooks"
)

// routes maps patterns to what needs a token.
func routes() map[string]handler {
	all := map[string]handler{
		"GET /api/user":                       showUser,
		"GET /api/user/organizations/default": showDefaultOrganization,
		"GET /api/user/stacks":                listStacks,

		"HEAD /api/stacks/{org}/{project}":           headProject,
		"POST /api/stacks/{org}/{project}":           createStack,
		"GET /api/stacks/{org}/{project}/{stack}":    showStack,
		"DELETE /api/stacks/{org}/{project}/{stack}": deleteStack,
	}
	for base, find := range map[string]func(*call) (*target, error){
		organizationBase: organizationTarget, stackBase: stackTarget, environmentBase: environmentTarget,
	} {
		const hook = "/{hook}"
		all["GET "+base] = reading(find, listHooks)
		all["POST "+base] = changing(find, createHook)
		all["GET "+base+hook] = reading(find, showHook)
		all["PATCH "+base+hook] = changing(find, updateHook)
		all["DELETE "+base+hook] = changing(find, deleteHook)
		all["POST "+base+hook+"/ping"] = changing(find, pingHook)
		all["GET "+base+hook+"/deliveries"] = reading(find, listDeliveries)
		all["POST "+base+hook+"/deliveries/{event}/redeliver"] = changing(find, redeliver)
	}
	return all
}

// openRoutes maps patterns to what needs no token (§7).
func openRoutes() map[string]handler {
	return map[string]handler{
		"GET /api/capabilities": func(*call) (answer, error) {
			return ok(object{{"capabilities", []string{}}}), nil
		},
		// An old version, so that nobody is asked to upgrade to it.
		"GET /api/cli/version": func(*call) (answer, error) {
			return ok(object{{"latestVersion", "v3.0.0"}, {"oldestWithoutWarning", "v3.0.0"}, {"latestDevVersion", ""}}), nil
		},
		"GET /api/openapi/pulumi-spec.json": func(*call) (answer, error) { return ok(openAPI), nil },
	}
}

// openAPI describes what is served here; clients look operations up in it (§6.1).
//
//go:embed openapi.json
var openAPI []byte
