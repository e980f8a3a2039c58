package event

// What an event may hold, in bytes and pieces. The limits are far above what the sources send and low enough that one
// event can neither fill a page nor a lane's memory.
const (
	MaxDocument = 1 << 20   // one event as JSON
	MaxBatch    = 1000      // events of one JSON array
	MaxName     = 255       // names, identifiers, words, keys
	MaxURL      = 4096      //
	MaxText     = 64 << 10  // messages, notes, descriptions, bodies
	MaxError    = 16 << 10  // the excerpt of what went wrong
	MaxItems    = 1000      // of any list or map
	MaxSequence = 1<<53 - 1 // what a JSON number carries exactly
)
