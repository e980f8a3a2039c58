package postgres

import (
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
)

// TestArraysAreWhatTheDriverReads decodes each kind of parameter with the driver's own decoders.
func TestArraysAreWhatTheDriverReads(t *testing.T) {
	t.Parallel()
	types := pgtype.NewMap()
	numbers := []int64{0, 1, -1, 1<<63 - 1, -1 << 63}
	small := []int{0, 1, -1, 32767, -32768}
	words := []string{"", "word", "näh\n☃", "a\x00b", "broken \xff"}
	cases := map[string]struct {
		oid  uint32
		add  func(a *arrays, n int)
		into any
		want any
	}{
		"bigint":   {pgtype.Int8ArrayOID, func(a *arrays, n int) { a.int64s(n, func(i int) int64 { return numbers[i] }) }, new([]int64), numbers},
		"integer":  {pgtype.Int4ArrayOID, func(a *arrays, n int) { a.int32s(n, func(i int) int { return small[i] }) }, new([]int), small},
		"smallint": {pgtype.Int2ArrayOID, func(a *arrays, n int) { a.int16s(n, func(i int) int { return small[i] }) }, new([]int), small},
		"boolean": {
			pgtype.BoolArrayOID, func(a *arrays, n int) { a.bools(n, func(i int) bool { return i%2 == 1 }) }, new([]bool),
			[]bool{false, true, false, true, false},
		},
		"text": {
			pgtype.TextArrayOID, func(a *arrays, n int) { a.texts(n, func(i int) string { return words[i] }) }, new([]string),
			[]string{"", "word", "näh\n☃", "a\uFFFDb", "broken \uFFFD"},
		},
		"bytea": {
			pgtype.ByteaArrayOID, func(a *arrays, n int) {
				a.bytes(n, func(buf []byte, i int) []byte { return append(buf, words[i]...) })
			}, new([][]byte),
			[][]byte{{}, []byte("word"), []byte("näh\n☃"), []byte("a\x00b"), []byte("broken \xff")},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a arrays
			c.add(&a, 5)
			c.add(&a, 0)
			params := a.take()
			if err := types.Scan(c.oid, pgtype.BinaryFormatCode, params[0], c.into); err != nil {
				t.Fatal(err)
			}
			if got := reflect.ValueOf(c.into).Elem().Interface(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if err := types.Scan(c.oid, pgtype.BinaryFormatCode, params[1], c.into); err != nil {
				t.Fatal(err)
			}
			if n := reflect.ValueOf(c.into).Elem().Len(); n != 0 {
				t.Errorf("the empty array has %d elements", n)
			}
		})
	}
}

func TestArraysKeepParametersApart(t *testing.T) {
	t.Parallel()
	var a arrays
	a.int64(7)
	a.int16(-2)
	a.text("x\x00")
	first := a.take()
	for range 1000 { // the buffer moves
		a.int64(1)
	}
	if len(a.take()) != 1000 || len(first) != 3 {
		t.Fatal("parameters of two statements were mixed")
	}
	want := [][]byte{{0, 0, 0, 0, 0, 0, 0, 7}, {255, 254}, []byte("x\uFFFD")}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("got %v, want %v", first, want)
	}
	a.reset()
	if params := a.take(); len(params) != 0 || cap(a.buf) == 0 {
		t.Error("reset must forget the parameters and keep the memory")
	}
	a.bytes(1, func(buf []byte, _ int) []byte { return append(buf, make([]byte, 9<<20)...) })
	a.reset()
	if cap(a.buf) > 0 {
		t.Error("reset kept the memory of a huge batch")
	}
}
