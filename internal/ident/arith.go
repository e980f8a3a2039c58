package ident

import "math/bits"

// divide returns the quotient and remainder of hi*2^64+lo by a small base.
func divide(hi, lo, base uint64) (qhi, qlo, rem uint64) {
	qhi, rem = hi/base, hi%base
	qlo, rem = bits.Div64(rem, lo, base)
	return qhi, qlo, rem
}

// multiplyAdd returns (hi*2^64+lo)*base+digit; ok is false on overflow of 128 bits.
func multiplyAdd(hi, lo, base, digit uint64) (rhi, rlo uint64, ok bool) {
	over, upper := bits.Mul64(hi, base)
	carry, lower := bits.Mul64(lo, base)
	lower, c := bits.Add64(lower, digit, 0)
	upper, c2 := bits.Add64(upper, carry, c)
	return upper, lower, over == 0 && c2 == 0
}
