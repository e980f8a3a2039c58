package manage

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// maxVersions bounds the memory of old versions. They never change: forgetting one costs a read.
const maxVersions = 4096

// versions remembers old versions of subscriptions that deliveries still need.
type versions struct {
	mu   sync.Mutex
	held map[versionKey]*subscription.Subscription
}

type versionKey struct {
	id      ident.ID
	version int64
}

// Version returns a version of a subscription, whether or not the subscription is still there. The answer is shared and
// must not be changed. An unknown version is store.ErrNotFound.
func (m *Manage) Version(ctx context.Context, id ident.ID, version int64) (*subscription.Subscription, error) {
	if s := m.index.Get(id); s != nil && s.Version == version {
		return s, nil
	}
	key := versionKey{id, version}
	if s := m.versions.get(key); s != nil {
		return s, nil
	}
	r, err := m.store.ByName(ctx, store.KindVersion, id, strconv.FormatInt(version, 10))
	if err != nil {
		return nil, fmt.Errorf("read version %d of subscription %s: %w", version, id, err)
	}
	s, err := decode[subscription.Subscription](&r)
	if err != nil {
		return nil, err
	}
	m.versions.put(key, s)
	return s, nil
}

func (v *versions) get(key versionKey) *subscription.Subscription {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.held[key]
}

func (v *versions) put(key versionKey, s *subscription.Subscription) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held == nil || len(v.held) >= maxVersions {
		v.held = make(map[versionKey]*subscription.Subscription)
	}
	v.held[key] = s
}

// clear forgets everything: the versions were sealed anew.
func (v *versions) clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = nil
}
