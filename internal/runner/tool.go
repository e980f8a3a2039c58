package runner

import (
	"carillon/internal/event"
)

// Tool knows one infrastructure tool: how its command lines read and what its output means.
type Tool interface {
	// Name is the tool's name for people: "Terraform".
	Name() string

	// Read judges a command line. ok is false when it is no call of this tool. A call of the tool that is no run (help,
	// init, fmt, …) has ok true and an Invocation without Recognizer.
	Read(args []string, env Environment) (inv Invocation, ok bool)
}

// Invocation is what a command line says about the run before it begins.
type Invocation struct {
	Tool    string // "terraform", "tofu", …
	Command string // the tool's own word for what it does: "apply", "plan -destroy"
	Dir     string // where the configuration lies, relative to the working directory; "" is the working directory

	Operation event.Operation
	AutoApply *bool // nil when the command applies nothing
	PlanOnly  bool  // the run ends with its plan
	ApplyOnly bool  // there is no plan to wait for: it was made by an earlier run
	Drift     bool  // the run only looks for drift

	// ChangesCode is the exit code with which a successful plan says that there are changes; 0 when it has none.
	ChangesCode int

	// Locate reads what the tool's own files in a directory say about the workspace; every part may stay empty. Nil when
	// the tool has no such files.
	Locate func(dir string, env Environment) Place

	// Actor says for whom the tool acts by its own account, nil when it can not tell. Nil when the tool has no accounts.
	Actor func(env Environment) *event.Actor

	// Aside returns a command line, and variables to add, with which the command writes what it does into a file, for tools
	// that tell more there than they print. What is in the file is read as the stream Aside while the command runs, and
	// never kept: the file is gone as soon as it is there. Nil when the tool has no such file.
	Aside func(path string) (args, env []string)

	// Recognizer reads the command's output. It is nil when the command is no run: then nothing is reported.
	Recognizer Recognizer
}

// Reported says whether the command is a run that is reported.
func (i Invocation) Reported() bool { return i.Recognizer != nil }

// Find asks each tool in turn for the command line. ok is false when no tool knows it.
func Find(tools []Tool, args []string, env Environment) (inv Invocation, ok bool) {
	for _, tool := range tools {
		if inv, ok = tool.Read(args, env); ok {
			return inv, true
		}
	}
	return Invocation{}, false
}

// Stream tells a command's two outputs apart.
type Stream int

// The outputs. A command whose outputs are one file (2>&1) sends everything as Output.
const (
	Output Stream = iota
	Errors
	Aside // what the command wrote for us alone, see Invocation.Aside
)

// Recognizer turns output into observations. It is pure: the same bytes give the same observations however they are cut
// into chunks. It is used by one goroutine at a time.
type Recognizer interface {
	// Read takes the next chunk of a stream. It keeps no reference to the chunk.
	Read(stream Stream, chunk []byte) []Observation

	// End says that both streams have ended, and returns what was still open.
	End() []Observation
}

// Observation is one thing that a command's output says about its run.
type Observation struct {
	Saw        Sight
	Changes    *event.Changes // Planned, Counted, Completed: the counts
	HasChanges *bool          // Planned
	Text       string         // Failed: the excerpt; Linked: the address

	Violation *event.Violation `json:",omitempty"` // Violated
	Blocking  bool             `json:",omitempty"` // Violated: the policy stops the run
}

// Sight is what an Observation saw.
type Sight string

// The sights.
const (
	Planned     Sight = "planned"     // the plan is there
	Asking      Sight = "asking"      // the command waits for a person's answer
	Approved    Sight = "approved"    // the person said yes
	Declined    Sight = "declined"    // the person said no
	Applying    Sight = "applying"    // the first resource is being touched
	Completed   Sight = "completed"   // the command says that it has applied everything
	Interrupted Sight = "interrupted" // the command says that it was interrupted
	Failed      Sight = "failed"      // the command printed an error
	Linked      Sight = "linked"      // the command printed the address of its run
	Counted     Sight = "counted"     // the counts of what was done, however it ended
	Violated    Sight = "violated"    // a policy was violated
	Unstarted   Sight = "unstarted"   // the command ended before it began to plan or to apply
)
