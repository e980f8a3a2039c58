package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// stored is a replay as its record holds it.
type stored struct {
	*Replay
	Filter savedFilter `json:"filter"`
}

// savedFilter spells a filter in words, which outlive a change of their numbers.
type savedFilter struct {
	Workspace    ident.ID  `json:"workspace,omitzero"`
	Run          ident.ID  `json:"run,omitzero"`
	Event        ident.ID  `json:"event,omitzero"`
	Subscription ident.ID  `json:"subscription,omitzero"`
	Destination  ident.ID  `json:"destination,omitzero"`
	States       []string  `json:"states,omitempty"`
	StatusFrom   int       `json:"status_from,omitempty"`
	StatusTo     int       `json:"status_to,omitempty"`
	Cause        string    `json:"cause,omitempty"`
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
}

func save(f store.DeliveryFilter) savedFilter {
	saved := savedFilter{
		Workspace: f.Workspace, Run: f.Run, Event: f.Event, Subscription: f.Subscription, Destination: f.Destination,
		StatusFrom: f.StatusFrom, StatusTo: f.StatusTo, From: f.Range.From, To: f.Range.To,
	}
	for _, state := range f.States {
		saved.States = append(saved.States, state.String())
	}
	if f.Cause != nil {
		saved.Cause = f.Cause.String()
	}
	return saved
}

// filter is the saved filter, within an organization.
func (s savedFilter) filter(organization ident.ID) (store.DeliveryFilter, error) {
	f := store.DeliveryFilter{
		Organizations: []ident.ID{organization}, Workspace: s.Workspace, Run: s.Run, Event: s.Event, Subscription: s.Subscription,
		Destination: s.Destination, StatusFrom: s.StatusFrom, StatusTo: s.StatusTo, Range: store.Range{From: s.From, To: s.To},
	}
	for _, word := range s.States {
		state, ok := named(delivery.States(), word)
		if !ok {
			return f, fmt.Errorf("unknown state %q", word)
		}
		f.States = append(f.States, state)
	}
	if s.Cause != "" {
		cause, ok := named(delivery.Causes(), s.Cause)
		if !ok {
			return f, fmt.Errorf("unknown cause %q", s.Cause)
		}
		f.Cause = &cause
	}
	return f, nil
}

func named[T fmt.Stringer](values []T, name string) (found T, ok bool) {
	for _, v := range values {
		if v.String() == name {
			return v, true
		}
	}
	return found, false
}

// MarshalText spells an item as one word: there are many of them in a record.
func (i Item) MarshalText() ([]byte, error) {
	return []byte(i.ID.String() + "." + strconv.Itoa(i.Shard)), nil
}

// UnmarshalText reads what MarshalText wrote.
func (i *Item) UnmarshalText(text []byte) error {
	id, shard, _ := strings.Cut(string(text), ".")
	var err error
	if i.ID, err = ident.Parse(id); err != nil {
		return fmt.Errorf("item %q: %w", text, err)
	}
	if i.Shard, err = strconv.Atoi(shard); err != nil {
		return fmt.Errorf("item %q: %w", text, err)
	}
	return nil
}

// encode makes the record.
func encode(r *Replay) (*store.Record, error) {
	body, err := json.Marshal(stored{r, save(r.Filter)})
	if err != nil {
		return nil, fmt.Errorf("encode replay %s: %w", r.ID, err)
	}
	return &store.Record{Kind: store.KindReplay, ID: r.ID, Parent: r.OrganizationID, Body: body, Revision: r.revision}, nil
}

// decode reads the record.
func decode(record *store.Record) (*Replay, error) {
	r := &Replay{revision: record.Revision}
	s := stored{Replay: r}
	err := json.Unmarshal(record.Body, &s)
	if err == nil {
		r.Filter, err = s.Filter.filter(r.OrganizationID)
	}
	if err != nil {
		return nil, fmt.Errorf("decode replay %s: %w", record.ID, err)
	}
	return r, nil
}

// load reads a replay.
func (s *Service) load(ctx context.Context, id ident.ID) (*Replay, error) {
	record, err := s.Store.Get(ctx, store.KindReplay, id)
	if err != nil {
		return nil, fmt.Errorf("read replay %s: %w", id, err)
	}
	return decode(&record)
}

// write replaces a replay's record if nobody changed it since it was read, together with other changes.
func (s *Service) write(ctx context.Context, r *Replay, others ...store.Change) error {
	record, err := encode(r)
	if err != nil {
		return err
	}
	revision, err := s.Store.Apply(ctx, append([]store.Change{store.Update(record)}, others...))
	if err != nil {
		return fmt.Errorf("write replay %s: %w", r.ID, err)
	}
	r.revision = revision
	return nil
}

// tries is how often a change is begun anew when the record changed meanwhile.
const tries = 20

// change reads a replay, lets step change it, and writes it: again when somebody else wrote it in between. A step that
// returns an error, or false, changes nothing.
func (s *Service) change(ctx context.Context, id ident.ID, step func(*Replay) (bool, error), others ...store.Change) (*Replay, error) {
	for range tries {
		r, err := s.load(ctx, id)
		if err != nil {
			return nil, err
		}
		if changed, err := step(r); err != nil || !changed {
			return r, err
		}
		err = s.write(ctx, r, others...)
		if !errors.Is(err, store.ErrRevision) {
			return r, err
		}
	}
	return nil, fmt.Errorf("change replay %s: %w", id, store.ErrRevision)
}
