package scalr

import (
	"strconv"
	"strings"

	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// reservedHeaders are those that make a delivery what it is; a webhook can not set them (§2).
var reservedHeaders = []string{
	"Host", "Content-Length", "Content-Type", headerDate, headerSignature, headerDelivery, "Transfer-Encoding", "Connection",
}

func isReserved(name string) bool {
	for _, reserved := range reservedHeaders {
		if strings.EqualFold(name, reserved) {
			return true
		}
	}
	return false
}

// Validate refuses what no webhook may have, whichever face it is saved through.
func (*Dialect) Validate(s *subscription.Subscription, _ subscription.Secrets) error {
	var faults fault.Collector
	for i, h := range s.Headers {
		if isReserved(h.Name) {
			faults.Add("/headers/"+strconv.Itoa(i)+"/name", "The header %s is set by the delivery itself.", h.Name)
		}
	}
	if g := settingsOf(s).Generation; g < 0 || g > generationIntegration {
		faults.Add("/settings/generation", "The generation of the payload is 1 or 2.")
	}
	return faults.Err()
}
