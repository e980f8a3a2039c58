package spacelift

import (
	"fmt"
	"strconv"
)

// Configure takes the installation's switches (§10): no_sha1, show_secrets, no_audit_test, failed_sign_ins_per_minute.
func (d *Dialect) Configure(options map[string]string) error {
	for name, value := range options {
		var err error
		switch name {
		case "no_sha1":
			d.NoSHA1, err = strconv.ParseBool(value)
		case "show_secrets":
			d.ShowSecrets, err = strconv.ParseBool(value)
		case "no_audit_test":
			d.NoAuditTest, err = strconv.ParseBool(value)
		case "failed_sign_ins_per_minute":
			d.FailedSignInsPerMinute, err = strconv.Atoi(value)
		default:
			return fmt.Errorf("there is no option %q; known are no_sha1, show_secrets, no_audit_test and failed_sign_ins_per_minute", name)
		}
		if err != nil {
			return fmt.Errorf("option %s: %q is not a value of it", name, value)
		}
	}
	return nil
}
