package manage

import (
	"context"
	"fmt"

	"carillon/internal/estate"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Reseal seals anew, with the key that seals now, every secret that another key sealed, and returns how many. When it
// returns without an error the other keys are no longer needed to open anything. It may be repeated, and run while the
// installation works.
func (m *Manage) Reseal(ctx context.Context) (int, error) {
	total := 0
	steps := map[store.Kind]func(*store.Record) (int, error){
		store.KindSubscription: m.resealSubscription,
		store.KindVersion:      m.resealSubscription,
		store.KindSource:       m.resealSource,
	}
	for _, kind := range documentKinds {
		steps[kind] = m.resealDocument
	}
	for kind, step := range steps {
		err := m.each(ctx, kind, 0, func(r *store.Record) error {
			n, err := m.resealRecord(ctx, r, step)
			total += n
			return err
		})
		if err != nil {
			return total, err
		}
	}
	m.versions.clear()
	return total, nil
}

// resealRecord seals one record's secrets anew, on what is there when it is written.
func (m *Manage) resealRecord(ctx context.Context, r *store.Record, step func(*store.Record) (int, error)) (int, error) {
	var sealed int
	current := *r
	err := m.retry(ctx, func() error {
		var err error
		if sealed, err = step(&current); err != nil {
			return fmt.Errorf("seal %s %s anew: %w", r.Kind, r.ID, err)
		}
		if sealed == 0 {
			return nil
		}
		err = m.commit(ctx, func() ([]store.Change, error) { return []store.Change{store.Update(&current)}, nil })
		if err == nil {
			return nil
		}
		sealed = 0
		fresh, getErr := m.store.Get(ctx, r.Kind, r.ID)
		if missing(getErr) {
			return nil
		}
		if getErr != nil {
			return getErr
		}
		current = fresh
		return err
	})
	return sealed, err
}

// renew seals one secret anew and reports 1 when it had to.
func (m *Manage) renew(sealed *seal.Sealed, place string) (int, error) {
	if m.keyring.Current(*sealed) {
		return 0, nil
	}
	plain, err := m.keyring.Open(*sealed, place)
	if err != nil {
		return 0, err
	}
	*sealed = m.keyring.Seal(plain, place)
	return 1, nil
}

// placed is a sealed secret and its place.
type placed struct {
	sealed *seal.Sealed
	place  string
}

// renewAll renews an object's secrets and, when any had to be, the record's body.
func (m *Manage) renewAll(r *store.Record, object any, all []placed) (int, error) {
	total := 0
	for _, each := range all {
		n, err := m.renew(each.sealed, each.place)
		if err != nil {
			return 0, err
		}
		total += n
	}
	if total == 0 {
		return 0, nil
	}
	body, err := encode(object)
	r.Body = body
	return total, err
}

func (m *Manage) resealSubscription(r *store.Record) (int, error) {
	s, err := decode[subscription.Subscription](r)
	if err != nil {
		return 0, err
	}
	all := []placed{
		{&s.URL, subscription.Place(s.ID, fieldURL)},
		{&s.Secret, subscription.Place(s.ID, fieldSecret)},
		{&s.PriorSecret, subscription.Place(s.ID, fieldPrior)},
	}
	for i := range s.Headers {
		all = append(all, placed{&s.Headers[i].Value, subscription.Place(s.ID, headerField(s.Headers[i].Name))})
	}
	return m.renewAll(r, s, all)
}

func (m *Manage) resealSource(r *store.Record) (int, error) {
	s, err := decode[estate.InboundSource](r)
	if err != nil {
		return 0, err
	}
	return m.renewAll(r, s, []placed{
		{&s.Secret, sourcePlace(s.ID, fieldSecret)},
		{&s.PriorSecret, sourcePlace(s.ID, fieldPrior)},
	})
}

func (m *Manage) resealDocument(r *store.Record) (int, error) {
	d, err := decode[document](r)
	if err != nil {
		return 0, err
	}
	total := 0
	for field, sealed := range d.Secrets {
		n, err := m.renew(&sealed, documentPlace(r.Kind, r.ID, field))
		if err != nil {
			return 0, err
		}
		d.Secrets[field] = sealed
		total += n
	}
	if total == 0 {
		return 0, nil
	}
	r.Body, err = encode(d)
	return total, err
}
