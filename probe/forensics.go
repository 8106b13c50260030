package probe

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A verdict says whether a returned payload is the one sent.
type verdict uint8

const (
	intact  verdict = iota // byte for byte
	corrupt                // damaged on its way
	foreign                // another one: an earlier probe's, or a forger's
)

// maxShift is the most bytes that may be inserted or missing in a payload that
// counts as shifted.
const maxShift = 64

// maxTokenFlips is how many of a token's 64 bits may differ in a payload that
// counts as damaged. A guess comes that close once in 3 * 10^9.
const maxTokenFlips = 8

// compare decides whether got is the payload want, damaged or not. hasToken
// says that want begins with a token, or with as much of one as fits: what
// follows a token is public, hence proves nothing without it. The rules, in
// order:
//  1. equal bytes are intact;
//  2. a prefix is truncated, the whole with bytes behind it padded;
//  3. one flipped bit is flipped, even if the byte becomes zero;
//  4. if all bytes that differ have become zero, it is zeroed: half of the
//     token must be left, unless nothing is left but zeros;
//  5. if up to 64 bytes were inserted or are missing in one place, it is
//     shifted: the token must be there whole, or without one half of the rest;
//  6. at most one bit in eight, and at most 8 bits of the token, may differ in
//     what is otherwise flipped, truncated (without a token: to no less than
//     half) or padded;
//  7. behind a whole token of 8 bytes, anything may differ.
//
// All else is foreign. Rules 2 and 4 accept an empty payload and one of zeros
// without proof, because there are devices that send them: a verdict of corrupt
// alone is no reason to trust a reply. The cost is linear in len(got), and
// nothing is allocated.
func compare(want []byte, hasToken bool, got []byte) (Damage, verdict) {
	n := min(len(want), len(got))
	first := commonPrefix(want, got)
	if first == len(want) && first == len(got) {
		return Damage{}, intact
	}
	d := Damage{Offset: first, Want: byteAt(want, first), Got: byteAt(got, first)}
	byLength := lengthClass(want, got)
	if first == n {
		d.Class = byLength
		return d, corrupt
	}
	f := forensics{want: want, got: got, first: first}
	if hasToken {
		f.token = want[:min(len(want), tokenLen)]
	}
	f.tally = count(want[first:n], got[first:n])
	switch {
	case len(want) == len(got) && f.bits == 1:
		d.Class = Flipped
	case len(want) == len(got) && f.zeroed():
		d.Class = Zeroed
	case f.shifted():
		d.Class = Shifted
	case f.close(n), f.tokenWhole(0) && len(f.token) == tokenLen:
		d.Class = byLength
	default:
		return Damage{}, foreign
	}
	return d, corrupt
}

// lengthClass is the class of a payload of which only the length is known.
func lengthClass(want, got []byte) DamageClass {
	switch {
	case len(got) < len(want):
		return Truncated
	case len(got) > len(want):
		return Padded
	}
	return Flipped
}

// byteAt returns b[i], -1 past the end.
func byteAt(b []byte, i int) int16 {
	if i < len(b) {
		return int16(b[i])
	}
	return -1
}

// A forensics is a payload under examination.
type forensics struct {
	want, got []byte
	first     int    // offset of the first difference
	token     []byte // at the start of want, as much as there is; nil: none
	tally
}

// A tally counts differences at equal offsets.
type tally struct {
	bits, bytes int
	onlyZeros   bool // every byte that differs came back as zero
}

// zeroed is rule 4. Bytes of the token that are still right are its rest.
func (f *forensics) zeroed() bool {
	if !f.onlyZeros {
		return false
	}
	rest := 0
	for i, b := range f.token {
		if f.got[i] == b {
			rest++
		}
	}
	return 2*rest >= len(f.token) || len(bytes.TrimLeft(f.got, "\x00")) == 0
}

// close is rule 6, for the n bytes that both have.
func (f *forensics) close(n int) bool {
	if n < len(f.token) || f.token == nil && 2*n < len(f.want) {
		return false
	}
	inToken := count(f.token, f.got[:len(f.token)]).bits
	return f.bits <= n && (len(f.token) < tokenLen || inToken <= maxTokenFlips)
}

// shifted is rule 5. If the lengths differ, they say by how much. If not, the
// end was cut off or filled up, and it takes a search; a shift must then
// explain more bytes than it moves.
func (f *forensics) shifted() bool {
	n := len(f.want)
	if k := len(f.got) - n; k != 0 {
		return k > 0 && k <= maxShift && f.inserted(k, n) ||
			k < 0 && -k <= maxShift && f.missing(-k, n)
	}
	for k := 1; k <= min(maxShift, n-1, f.bytes-1); k++ {
		if f.inserted(k, n-k) || f.missing(k, n) && f.first+k < n {
			return true
		}
	}
	return false
}

// inserted reports whether got holds k more bytes at or before the first
// difference, and behind them want up to its offset end.
func (f *forensics) inserted(k, end int) bool {
	if f.first >= end || !f.proven(k, k) {
		return false
	}
	return bytes.Equal(f.got[f.first+k:end+k], f.want[f.first:end])
}

// missing reports whether got lacks k bytes of want at or before the first
// difference, and goes on with the rest of want up to its offset end.
func (f *forensics) missing(k, end int) bool {
	if f.first+k >= end || !f.proven(k, 0) {
		return false
	}
	return bytes.Equal(f.got[f.first:end-k], f.want[f.first+k:end])
}

// proven reports whether enough is left to tell a shift by k from a forgery:
// the token, where it was or moved by at, or half of a payload without one.
func (f *forensics) proven(k, at int) bool {
	if f.token == nil {
		return 2*k <= len(f.want)
	}
	return f.tokenWhole(0) || at > 0 && f.tokenWhole(at)
}

// tokenWhole reports whether the token is at an offset of got.
func (f *forensics) tokenWhole(at int) bool {
	return f.token != nil && len(f.got) >= at+len(f.token) && bytes.Equal(f.got[at:at+len(f.token)], f.token)
}

// commonPrefix returns how many leading bytes a and b share.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i < n && a[i] == b[i]; i++ {
	}
	return i
}

// count compares two slices of the same length.
func count(want, got []byte) tally {
	t := tally{onlyZeros: true}
	for len(want) >= 8 {
		t.add(binary.LittleEndian.Uint64(want), binary.LittleEndian.Uint64(got))
		want, got = want[8:], got[8:]
	}
	var w, g [8]byte
	copy(w[:], want)
	copy(g[:], got)
	t.add(binary.LittleEndian.Uint64(w[:]), binary.LittleEndian.Uint64(g[:]))
	return t
}

// add counts the differences of eight bytes at once.
func (t *tally) add(want, got uint64) {
	x := want ^ got
	if x == 0 {
		return
	}
	t.bits += bits.OnesCount64(x)
	x |= x >> 4
	x |= x >> 2
	x |= x >> 1
	x &= 0x0101010101010101 // one bit for each byte that differs
	t.bytes += bits.OnesCount64(x)
	t.onlyZeros = t.onlyZeros && got&(x*0xff) == 0
}
