package dialect

// RepeatedHeaders is a dialect whose subscriptions may name a header several times: each becomes a line of its own.
// Otherwise a header that is named twice is refused.
type RepeatedHeaders interface {
	RepeatsHeaders() bool
}
