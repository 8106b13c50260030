package probetest

import (
	"bytes"
	"slices"
)

// Flip inverts bits of a payload, counted from its start; bit 0 is the lowest
// of the first byte. Those past the end are left out, here as in the other
// changes.
func Flip(bits ...int) func([]byte) []byte {
	return func(b []byte) []byte {
		for _, i := range bits {
			if i >= 0 && i/8 < len(b) {
				b[i/8] ^= 1 << (i % 8)
			}
		}
		return b
	}
}

// Truncate keeps the first n bytes.
func Truncate(n int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:clamp(n, b)] }
}

// Pad adds n zero bytes behind the end.
func Pad(n int) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, make([]byte, max(n, 0))...) }
}

// Insert puts n bytes of 0xee in at an offset.
func Insert(at, n int) func([]byte) []byte {
	return func(b []byte) []byte {
		return slices.Insert(b, clamp(at, b), bytes.Repeat([]byte{0xee}, max(n, 0))...)
	}
}

// Remove takes n bytes out at an offset.
func Remove(at, n int) func([]byte) []byte {
	return func(b []byte) []byte {
		at := clamp(at, b)
		return slices.Delete(b, at, max(at, clamp(at+n, b)))
	}
}

// Zero clears the bytes from one offset until before another.
func Zero(from, to int) func([]byte) []byte {
	return func(b []byte) []byte {
		from := clamp(from, b)
		clear(b[from:max(from, clamp(to, b))])
		return b
	}
}

func clamp(i int, b []byte) int { return min(max(i, 0), len(b)) }
