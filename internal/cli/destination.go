package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
)

// destinationCommand shows how destinations fare.
type destinationCommand struct {
	List destinationList `cmd:"" help:"List the destinations that the node delivers to, those that fare worst first."`
}

type destinationList struct {
	connection
	output
	Organization string `help:"Only those of an organization." placeholder:"ORG"`
	Condition    string `help:"Only those in a condition: healthy, degraded, failing, disabled." placeholder:"CONDITION"`
	Limit        int    `default:"200" help:"At most so many." placeholder:"N"`
}

// Run lists destinations.
func (o *destinationList) Run(ctx context.Context, g *globals) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(o.Limit)}}
	setIf(query, "organization", o.Organization)
	setIf(query, "condition", o.Condition)
	found, err := c.Destinations(ctx, query)
	if err != nil {
		return err
	}
	return o.print(g.streams.Out, found, func(w io.Writer) {
		row(w, "ADDRESS", "CONDITION", "PENDING", "IN FLIGHT", "OLDEST", "FAILURES", "LAST ANSWER", "NEXT ATTEMPT", "ID")
		for _, d := range found.Items {
			last := ""
			if d.Last != nil {
				last = d.Last.Class
				if d.Last.Status != 0 {
					last = fmt.Sprint(d.Last.Status)
				}
			}
			row(w, d.Address, d.Condition, d.Pending, d.InFlight, d.Oldest, d.Failures, last, d.NextAttempt, d.ID)
		}
		if found.More {
			fmt.Fprintln(w, "There are more: raise --limit.")
		}
	})
}
