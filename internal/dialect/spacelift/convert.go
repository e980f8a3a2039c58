package spacelift

import (
	"math"
	"time"

	graphql "github.com/graph-gophers/graphql-go"
)

// clamp makes a number fit the schema's Int, which has 32 bits (§8).
func clamp(n int64) int32 {
	return int32(min(max(n, math.MinInt32), math.MaxInt32))
}

func secondsInt(t time.Time) int32 { return clamp(seconds(t)) }

// value is what a pointer points at, the zero value without one.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}

// texts is never null.
func texts(p *[]string) []string {
	if p == nil || *p == nil {
		return []string{}
	}
	return *p
}

// idText turns an optional identifier into text.
func idText(id *graphql.ID) *string {
	if id == nil {
		return nil
	}
	text := string(*id)
	return &text
}
