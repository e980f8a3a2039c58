package scalr

import (
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
)

// BenchmarkDelivery is what a delivery costs before it is sent.
func BenchmarkDelivery(b *testing.B) {
	d, e, s := New(), oldRun("applied", false, "2020-11-25T00:51:02Z"), webhook("wh-t6v0g1l0dlqhh58", 0)
	in := dialect.Input{Event: e, Notice: d.Notices(e)[0], Subscription: s, Site: sampleSite}
	signing := dialect.Signing{Secrets: []string{"auphee1ieshaeQu8"}, At: e.OccurredAt, Delivery: &delivery.Delivery{ID: 5 << 13}}
	b.ReportAllocs()
	for b.Loop() {
		msg, err := d.Render(in)
		if err != nil {
			b.Fatal(err)
		}
		d.Sign(msg, signing)
	}
}
