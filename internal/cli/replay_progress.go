package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"carillon/client"
)

// watchEvery is how often a command that waits for a replay asks how far it is.
const watchEvery = time.Second

// watchReplay waits until nothing of a replay is left to do and tells how far it is, each time that changed.
func watchReplay(ctx context.Context, to io.Writer, c *client.Client, r client.Replay) (client.Replay, error) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	told := ""
	for {
		if text := progressText(r); text != told {
			fmt.Fprintln(to, text)
			told = text
		}
		if !r.FinishedAt.IsZero() {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("the replay goes on without being watched; end it with carillon replay cancel %s: %w", r.ID, ctx.Err())
		case <-ticker.C:
		}
		next, err := c.Replay(ctx, r.ID)
		if err != nil && ctx.Err() == nil {
			return r, fmt.Errorf("ask how far replay %s is: %w", r.ID, err)
		}
		if err == nil {
			r = next
		}
	}
}

// progressText says in one line how far a replay is.
func progressText(r client.Replay) string {
	text := fmt.Sprintf("replay %s: %s, %d of %s: %d delivered, %d pending", r.ID, r.State, r.Handled, atLeast(r.Found, r.FoundExact), r.Delivered, r.Pending)
	for _, part := range []struct {
		n    int
		what string
	}{{r.Exhausted, "exhausted"}, {r.Cancelled, "cancelled"}, {r.Unknown, "unknown"}, {r.Handled - r.Queued, "skipped"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// outcome is the error of a replay that ended otherwise than hoped for, nil while it runs.
func outcome(r client.Replay) error {
	switch {
	case r.FinishedAt.IsZero():
		return nil
	case r.State == "cancelled":
		return errors.New("the replay was cancelled by " + r.CancelledBy)
	case r.Exhausted+r.Cancelled > 0:
		return fmt.Errorf("%d of the deliveries failed again; carillon delivery list --state exhausted,cancelled shows why", r.Exhausted+r.Cancelled)
	}
	return nil
}

func atLeast(n int, exact bool) string {
	if exact {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("more than %d", n)
}

// skipsText lists what was skipped, by reason.
func skipsText(skipped map[string]int) string {
	total := 0
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(skipped)) {
		total += skipped[reason]
		reasons = append(reasons, fmt.Sprintf("%s %d", reason, skipped[reason]))
	}
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", total, strings.Join(reasons, ", "))
}

func replayTable(w io.Writer, r client.Replay) {
	row(w, "replay", r.ID)
	row(w, "state", r.State)
	row(w, "chosen", atLeast(r.Found, r.FoundExact))
	row(w, "handled", r.Handled)
	row(w, "skipped", skipsText(r.Skipped))
	row(w, "queued", r.Queued)
	row(w, "pending", r.Pending)
	row(w, "delivered", r.Delivered)
	row(w, "exhausted", r.Exhausted)
	row(w, "cancelled", r.Cancelled)
	if r.Unknown > 0 {
		row(w, "unknown", r.Unknown)
	}
	row(w, "pace", fmt.Sprintf("%d per second, %d pending at most", r.Pace, r.MaxPending))
	row(w, "begun", r.CreatedAt.UTC().Format(time.RFC3339)+" by "+r.CreatedBy)
	if !r.CancelledAt.IsZero() {
		row(w, "ended", r.CancelledAt.UTC().Format(time.RFC3339)+" by "+r.CancelledBy)
	}
	row(w, "finished", r.FinishedAt)
}
