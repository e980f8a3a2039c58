package smtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/guard"
)

// report gathers what became of a mail's recipients.
type report struct {
	total    int
	accepted []string
	putOff   int
	refused  int
	first    outcome  // the first that was put off, else the first that was refused
	lines    []string // the replies, for those who may see them
	broken   error    // why the attempt ended without a reply
}

func (r *report) add(recipient string, got outcome) {
	if got.err != nil {
		r.broken = got.err
		return
	}
	line := recipient + ": "
	if got.code != 0 {
		line += strconv.Itoa(got.code) + " "
	}
	r.lines = append(r.lines, line+strings.ReplaceAll(got.text, "\n", " "))
	switch {
	case got.putOff:
		if r.putOff++; r.putOff == 1 {
			r.first = got
		}
	case got.refused:
		if r.refused++; r.refused+r.putOff == 1 {
			r.first = got
		}
	default:
		r.accepted = append(r.accepted, recipient)
	}
}

// result says it in the words of the package comment.
func (r *report) result() delivery.Result {
	result := delivery.Result{Class: delivery.ClassAnswered, Status: 250}
	switch {
	case r.putOff > 0:
		result.Status, result.Advice = r.first.code, delivery.AdviceRetry
		result.Detail = fmt.Sprintf("the mail server put off %d of %d recipients", r.putOff, r.total)
	case len(r.accepted) == 0 && r.first.code == 0:
		return delivery.Result{Class: delivery.ClassConfig, Detail: "no recipient can be mailed: " + r.first.text}
	case len(r.accepted) == 0:
		result.Status, result.Advice = r.first.code, delivery.AdviceFinal
		result.Detail = "the mail server refused every recipient"
	case r.refused > 0:
		result.Detail = fmt.Sprintf("%d of %d recipients were refused for good", r.refused, r.total)
	}
	result.Response = &delivery.Response{Status: result.Status, Body: []byte(strings.Join(r.lines, "\n"))}
	return result
}

// classify says what ended an attempt without a reply. The text is for those who may see the subscription.
func classify(ctx context.Context, err error) (delivery.Class, string) {
	if errors.Is(err, guard.ErrForbidden) {
		return delivery.ClassForbidden, "the mail server's address is not allowed"
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return delivery.ClassStopped, "the attempt was stopped before the mail server answered"
	}
	if session, ok := errors.AsType[*sessionError](err); ok {
		return delivery.ClassProxy, session.text
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) {
		return delivery.ClassTimeout, "the mail server did not answer in time"
	}
	if isClosed(err) {
		return delivery.ClassClosed, "the mail server ended the session"
	}
	return delivery.ClassClosed, "the mail server's answer can not be understood"
}
