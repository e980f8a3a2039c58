package pulumi

import (
	"errors"
	"fmt"
	"net/url"
)

// Configure takes the settings of the installation: upstream-url and upstream-token, where the format pulumi_deployments
// starts deployments (§3.5).
func (d *Dialect) Configure(options map[string]string) error {
	for name, value := range options {
		switch name {
		case "upstream-url":
			u, err := url.Parse(value)
			if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
				return errors.New("upstream-url must be an address that begins with http:// or https://")
			}
			d.Upstream.URL = value
		case "upstream-token":
			d.Upstream.Token = value
		default:
			return fmt.Errorf("there is no option %q; the options are upstream-url and upstream-token", name)
		}
	}
	if (d.Upstream.URL == "") != (d.Upstream.Token == "") {
		return errors.New("upstream-url and upstream-token must be given together")
	}
	return nil
}
