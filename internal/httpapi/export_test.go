package httpapi

// What tests look at by itself.
var (
	SampleNames = sampleNames
	InboundKey  = inboundKey
	Text        = text
)
