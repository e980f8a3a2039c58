package ident

import "hash/fnv"

// Alphabets of the platforms' identifiers.
const (
	Base58     = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	Base32Hex  = "0123456789abcdefghijklmnopqrstuv"
	LowerAlnum = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// Codec spells an ID in a platform's shape: Prefix, then Length characters of Alphabet. It is reversible, and looks
// random, so that nobody learns how many objects exist. Alphabet and Length must hold at least 72 bits: 64 for the ID
// and the rest to recognize identifiers that were never issued.
type Codec struct {
	Prefix   string
	Alphabet string
	Length   int
}

// Encode spells the ID.
func (c Codec) Encode(id ID) string {
	return c.Prefix + c.digits(scramble(uint64(id)), c.check(uint64(id)))
}

// Decode reads what Encode wrote; ok is false for anything else.
func (c Codec) Decode(text string) (id ID, ok bool) {
	if !c.Matches(text) {
		return 0, false
	}
	hi, lo, ok := c.value(text[len(c.Prefix):])
	if !ok {
		return 0, false
	}
	plain := unscramble(lo)
	if int64(plain) <= 0 || c.Encode(ID(plain)) != text || hi != c.check(plain) {
		return 0, false
	}
	return ID(plain), true
}

// Matches reports whether text has the shape, issued by us or not.
func (c Codec) Matches(text string) bool {
	if len(text) != len(c.Prefix)+c.Length || text[:len(c.Prefix)] != c.Prefix {
		return false
	}
	for i := len(c.Prefix); i < len(text); i++ {
		if c.index(text[i]) < 0 {
			return false
		}
	}
	return true
}

func (c Codec) index(b byte) int {
	for i := 0; i < len(c.Alphabet); i++ {
		if c.Alphabet[i] == b {
			return i
		}
	}
	return -1
}

// check derives what fills the digits beyond the ID's 64 bits, kept below their capacity.
func (c Codec) check(id uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Prefix))
	sum := scramble(h.Sum64() ^ id)
	return sum % c.spare()
}

// spare is how many values fit above the 64 bits of an ID, at most 2^24.
func (c Codec) spare() uint64 {
	const most = 1 << 24
	// capacity = len^Length / 2^64, computed digit by digit with saturation.
	capacity := 1.0
	for range c.Length {
		capacity *= float64(len(c.Alphabet))
	}
	capacity /= 1 << 63
	capacity /= 2
	if capacity >= most {
		return most
	}
	if capacity < 1 {
		return 1
	}
	return uint64(capacity)
}

// digits writes hi*2^64+lo in the alphabet, most significant digit first.
func (c Codec) digits(lo, hi uint64) string {
	base := uint64(len(c.Alphabet))
	out := make([]byte, c.Length)
	for i := c.Length - 1; i >= 0; i-- {
		var rem uint64
		hi, lo, rem = divide(hi, lo, base)
		out[i] = c.Alphabet[rem]
	}
	return string(out)
}

// value reads digits back; ok is false when they exceed 128 bits.
func (c Codec) value(text string) (hi, lo uint64, ok bool) {
	base := uint64(len(c.Alphabet))
	for i := range len(text) {
		hi, lo, ok = multiplyAdd(hi, lo, base, uint64(c.index(text[i])))
		if !ok {
			return 0, 0, false
		}
	}
	return hi, lo, true
}

// scramble is the finalizer of splitmix64: a bijection in which every input bit moves every output bit.
func scramble(v uint64) uint64 {
	v ^= v >> 30
	v *= 0xbf58476d1ce4e5b9
	v ^= v >> 27
	v *= 0x94d049bb133111eb
	return v ^ v>>31
}

func unscramble(v uint64) uint64 {
	v ^= v>>31 ^ v>>62
	v *= 0x319642b2d24d8ec3
	v ^= v>>27 ^ v>>54
	v *= 0x96de1b173f119089
	return v ^ v>>30 ^ v>>60
}
