package tfe

// listFeatureSets names one set as it was asked for: clients look for one by name before they give it to an
// organization (§6). It is there for administrators of the installation.
func listFeatureSets(c *call) (answer, error) {
	if !c.who.SiteAdmin {
		return answer{}, notFound
	}
	name := c.request.URL.Query().Get("q")
	return pageOf(c, []string{name}, func(name string) (resource, error) {
		return resource{ID: "fs-1", Type: "feature-sets", Attributes: attributeSet{"name": name}}, nil
	})
}

// createBillingSubscription accepts what gives an organization its features. Everything is on here, so nothing is stored.
func createBillingSubscription(c *call) (answer, error) {
	if !c.who.SiteAdmin {
		return answer{}, notFound
	}
	if _, err := c.theOrganization(); err != nil {
		return answer{}, err
	}
	if _, err := c.read("subscription", "subscriptions"); err != nil {
		return answer{}, err
	}
	return ok(single(resource{ID: "sub-1", Type: "subscriptions"})), nil
}

// listStacks is empty: stacks are not modelled, and clients ask only to clean up (O12).
func listStacks(c *call) (answer, error) {
	if _, err := c.theOrganization(); err != nil {
		return answer{}, err
	}
	return emptyPage(c)
}
