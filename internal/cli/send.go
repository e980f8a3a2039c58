package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"carillon/client"
	"carillon/internal/event"
	"carillon/internal/spool"
)

// sendCommand hands events in: from a file, from flags, or those that were kept on disk.
type sendCommand struct {
	connection
	output
	File  string `arg:"" optional:"" help:"Events as JSON: one, an array, or one a line; - reads standard input." placeholder:"FILE"`
	Spool bool   `env:"-" help:"Send what runs kept on disk while the server was away."` // CARILLON_SPOOL is their directory

	Workspace string `help:"Send one step of a run of this workspace: ORG/NAME or ORG/PROJECT/NAME." placeholder:"ORG/NAME"`
	RunID     string `name:"run-id" help:"Name of the run in its workspace." placeholder:"ID"`
	Status    string `help:"What the run is now: pending, planning, planned, applying, applied, planned_and_finished, errored, canceled, …" placeholder:"STATUS"`
	Awaiting  bool   `help:"A person must act before the run goes on."`
	Message   string `help:"What the run is about." placeholder:"TEXT"`
	URL       string `name:"url" help:"Page of the run." placeholder:"URL"`
}

// sendBatch is how many events go out in one request.
const sendBatch = 200

// Run sends the events and prints the receipts.
func (s *sendCommand) Run(ctx context.Context, g *globals) error {
	if s.Spool {
		return s.drain(ctx, g)
	}
	documents, err := s.documents(g)
	if err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	receipts := make([]client.Receipt, 0, len(documents))
	for len(documents) > 0 {
		n := min(sendBatch, len(documents))
		some, err := c.Send(ctx, documents[:n])
		if err != nil {
			return fmt.Errorf("after %d events were taken: %w", len(receipts), err)
		}
		receipts, documents = append(receipts, some...), documents[n:]
	}
	return s.print(g.streams.Out, receipts, func(w io.Writer) {
		row(w, "EVENT", "RUN", "SEQUENCE", "DELIVERIES", "NOTE")
		for _, r := range receipts {
			row(w, r.Event, r.Run, sequenceText(r), r.Deliveries, map[bool]string{true: "known already"}[r.Duplicate])
		}
	})
}

func sequenceText(r client.Receipt) string {
	if r.Sequence == nil {
		return ""
	}
	return fmt.Sprint(*r.Sequence)
}

// documents reads the events from where the command line says they are.
func (s *sendCommand) documents(g *globals) ([]json.RawMessage, error) {
	switch {
	case s.File != "" && s.Workspace != "":
		return nil, usageError{errors.New("give a file or --workspace, not both")}
	case s.Workspace != "":
		return s.fromFlags()
	case s.File == "-":
		return readDocuments(g.streams.In)
	case s.File == "":
		return nil, usageError{errors.New("nothing to send: name a file, - for standard input, or --workspace and --status; --spool sends what was kept")}
	}
	file, err := os.Open(s.File)
	if err != nil {
		return nil, usageError{err}
	}
	defer file.Close()
	return readDocuments(file)
}

// fromFlags makes one step of a run.
func (s *sendCommand) fromFlags() ([]json.RawMessage, error) {
	p, err := parsePath(s.Workspace, 2, 3)
	if err != nil {
		return nil, err
	}
	if s.RunID == "" || s.Status == "" {
		return nil, usageError{errors.New("a step of a run needs --run-id and --status")}
	}
	e := event.Event{
		Kind: event.KindRun, OccurredAt: time.Now().UTC(),
		Organization: event.Organization{Name: p.organization},
		Workspace:    &event.Workspace{Name: p.workspace},
		Run: &event.Run{
			SourceID: s.RunID, Status: event.Status(s.Status), Awaiting: s.Awaiting, Message: s.Message, URL: s.URL, Origin: "cli",
		},
	}
	if p.project != "" {
		e.Project = &event.Project{Name: p.project}
	}
	body, err := event.Encode(&e)
	return []json.RawMessage{body}, err
}

// readDocuments reads JSON values that follow each other; arrays are taken apart.
func readDocuments(from io.Reader) ([]json.RawMessage, error) {
	var all []json.RawMessage
	decoder := json.NewDecoder(from)
	for {
		var one json.RawMessage
		err := decoder.Decode(&one)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the events: value %d, before byte %d: %w", len(all)+1, decoder.InputOffset(), err)
		}
		if one[0] != '[' {
			all = append(all, one)
			continue
		}
		var several []json.RawMessage
		if err := json.Unmarshal(one, &several); err != nil {
			return nil, fmt.Errorf("read the events: %w", err)
		}
		all = append(all, several...)
	}
}

// drain sends what runs kept on disk.
func (s *sendCommand) drain(ctx context.Context, g *globals) error {
	if _, err := s.client(); err != nil {
		return err
	}
	r := reporting{connection: s.connection}
	report, err := spool.Drain(ctx, r.spool())
	if err != nil {
		return err
	}
	fmt.Fprintf(g.streams.Out, "sent %d, refused %d, still kept %d\n", report.Sent, report.Refused, report.Kept)
	if report.Kept > 0 {
		return fmt.Errorf("not everything was sent: %w", report.Reason)
	}
	return nil
}
