package spacelift

// nameLimit is how long names may be (§5.5).
const nameLimit = 255

// errName is what every name must have: its identifier is made of it.
const errName problem = "name must contain at least one letter or digit"
