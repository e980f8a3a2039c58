package tfe

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// BenchmarkDelivery is what one delivery costs in this package: notice, payload, signature.
func BenchmarkDelivery(b *testing.B) {
	e, d := sampleRun("applied", false), New()
	s := configuration("nc-AeUQ2zfKZzW9TiGZ", subscription.LevelWorkspace, runCompleted)
	s.ExternalIDs = nil
	b.ReportAllocs()
	for b.Loop() {
		n := d.Notices(e)[0]
		msg, err := d.Render(dialect.Input{Event: e, Notice: n, Subscription: s, Site: sampleSite})
		if err != nil {
			b.Fatal(err)
		}
		d.Sign(msg, dialect.Signing{Secrets: []string{"correct-horse-battery-staple"}})
	}
}
