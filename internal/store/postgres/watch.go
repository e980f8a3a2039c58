package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// channel is the name under which hints are sent.
const channel = "carillon"

// How long Watch waits before it connects again: a little at first, then longer.
const (
	firstWait = 50 * time.Millisecond
	lastWait  = 5 * time.Second
)

var errHint = errors.New("not a hint")

// encodeHint writes a hint as five words: the store that sends it, its node, a mask of the shards, the lowest ID, and
// whether records changed.
func encodeHint(instance string, node int, h store.Hint) string {
	var shards shardSet
	for _, shard := range h.Shards {
		shards.add(shard)
	}
	return fmt.Sprintf("%s %d %x %d %t", instance, node, uint64(shards), h.Lowest, h.Records)
}

// decodeHint reads what encodeHint wrote.
func decodeHint(text string) (instance string, h store.Hint, err error) {
	words := strings.Fields(text)
	if len(words) != 5 {
		return "", h, errHint
	}
	node, nodeErr := strconv.Atoi(words[1])
	shards, shardsErr := strconv.ParseUint(words[2], 16, 64)
	lowest, lowestErr := strconv.ParseInt(words[3], 10, 64)
	records, recordsErr := strconv.ParseBool(words[4])
	if err := errors.Join(nodeErr, shardsErr, lowestErr, recordsErr); err != nil {
		return "", h, fmt.Errorf("%w: %w", errHint, err)
	}
	h = store.Hint{Node: node, Lowest: ident.ID(lowest), Records: records}
	if shards != 0 {
		h.Shards = shardSet(shards).list()
	}
	return words[0], h, nil
}

// Watch implements store.Leases, on a connection of its own. It connects again when the connection is lost, and then says
// that records may have changed: what was sent meanwhile is gone.
func (s *Store) Watch(ctx context.Context, notice func(store.Hint)) error {
	wait := firstWait
	for again := false; ; again = true {
		heard, err := s.watchOnce(ctx, notice, again)
		if ctx.Err() != nil {
			return nil
		}
		s.log.WarnContext(ctx, "lost the connection that hears of other nodes' work", "error", err, "again_in", wait)
		if heard {
			wait = firstWait
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		wait = min(2*wait, lastWait)
	}
}

// watchOnce listens until the connection or ctx ends. heard reports whether it came to listening at all.
func (s *Store) watchOnce(ctx context.Context, notice func(store.Hint), again bool) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.listen)
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false, err
	}
	if again {
		notice(store.Hint{Node: -1, Records: true})
	}
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		instance, hint, err := decodeHint(n.Payload)
		if err != nil {
			s.log.WarnContext(ctx, "got a hint that can not be read", "error", err)
			continue
		}
		if instance != s.instance {
			notice(hint)
		}
	}
}
