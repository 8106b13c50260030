package probe

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

const testToken = 0x3a917be55c0f42d8

// sent returns a default payload of n bytes.
func sent(n int) []byte {
	b := make([]byte, n)
	icmpx.FillPayload(b, testToken, nil)
	return b
}

// A change is what happens to a payload on its way.
type change func([]byte) []byte

func keep(b []byte) []byte { return b }

// flip flips the given number of bits from bit first on, one every step bits.
func flip(first, step, n int) change {
	return func(b []byte) []byte {
		for i := range n {
			bit := first + i*step
			b[bit/8] ^= 1 << (bit % 8)
		}
		return b
	}
}

func cut(n int) change { return func(b []byte) []byte { return b[:n] } }

func pad(s string) change { return func(b []byte) []byte { return append(b, s...) } }

func zero(from, to int) change {
	return func(b []byte) []byte {
		clear(b[from:to])
		return b
	}
}

func insert(at, n int) change {
	return func(b []byte) []byte {
		return bytes.Join([][]byte{b[:at], bytes.Repeat([]byte{0xee}, n), b[at:]}, nil)
	}
}

func remove(at, n int) change {
	return func(b []byte) []byte { return append(b[:at], b[at+n:]...) }
}

func set(at int, s string) change {
	return func(b []byte) []byte {
		copy(b[at:], s)
		return b
	}
}

func both(f, g change) change { return func(b []byte) []byte { return g(f(b)) } }

func TestCompare(t *testing.T) {
	varied := make([]byte, 100) // a payload with few repetitions and no zeros
	for i := range varied {
		varied[i] = byte(i*i + 1)
		if varied[i] == 0 {
			varied[i] = 0x55
		}
	}
	tests := []struct {
		name    string
		want    []byte
		token   bool
		change  change
		verdict verdict
		class   DamageClass
		offset  int
	}{
		{"whole", sent(56), true, keep, intact, Intact, 0},
		{"empty", nil, true, keep, intact, Intact, 0},

		{"one bit of the token", sent(56), true, flip(3, 1, 1), corrupt, Flipped, 0},
		{"the last bit", sent(56), true, flip(56*8-1, 1, 1), corrupt, Flipped, 55},
		{"one bit that makes zero", sent(56), true, flip(8*8+3, 1, 1), corrupt, Flipped, 8},
		{"8 bits of the token", sent(56), true, flip(0, 8, 8), corrupt, Flipped, 0},
		{"9 bits of the token", sent(56), true, flip(0, 7, 9), foreign, Intact, 0},
		{"57 of 512 bits, 8 of them in the token", sent(64), true, flip(0, 8, 64-7), corrupt, Flipped, 0},
		{"another token", sent(56), true, set(0, "other ot"), foreign, Intact, 0},
		{"another token, all of the payload", sent(8), true, set(0, "other ot"), foreign, Intact, 0},
		{"more than an eighth behind a whole token", sent(56), true, flip(64, 2, 190), corrupt, Flipped, 8},
		{"more than an eighth behind a changed token", sent(56), true, both(flip(0, 1, 1), flip(64, 2, 190)), foreign, Intact, 0},
		{"3 bytes, 3 bits", sent(3), true, flip(0, 8, 3), corrupt, Flipped, 0},
		{"3 bytes, 4 bits", sent(3), true, flip(0, 6, 4), foreign, Intact, 0},
		{"user's, an eighth", varied, false, flip(0, 8, 100), corrupt, Flipped, 0},
		{"user's, an eighth and a bit", varied, false, both(flip(0, 8, 100), flip(799, 1, 1)), foreign, Intact, 0},

		{"all but the last", sent(56), true, cut(55), corrupt, Truncated, 55},
		{"nothing left", sent(56), true, cut(0), corrupt, Truncated, 0},
		{"half a token left", sent(56), true, cut(4), corrupt, Truncated, 4},
		{"cut and one bit", sent(1400), true, both(cut(56), flip(99, 1, 1)), corrupt, Truncated, 12},
		{"cut, another token", sent(1400), true, both(cut(56), set(0, "other ot")), foreign, Intact, 0},
		{"cut in another token", sent(1400), true, both(cut(7), set(0, "other o")), foreign, Intact, 0},

		{"one byte behind", sent(56), true, pad("\x00"), corrupt, Padded, 56},
		{"many bytes behind", sent(56), true, pad(string(sent(1000))), corrupt, Padded, 56},
		{"behind nothing", nil, true, pad("x"), corrupt, Padded, 0},
		{"padded and one bit", sent(56), true, both(pad("xx"), flip(0, 1, 1)), corrupt, Padded, 0},
		{"padded, another token", sent(56), true, both(pad("xx"), set(0, "other ot")), foreign, Intact, 0},

		{"inserted before the token", sent(56), true, insert(0, 1), corrupt, Shifted, 0},
		{"inserted before the token, cut to length", sent(156), true, both(insert(0, 4), cut(156)), corrupt, Shifted, 0},
		{"inserted in the token", sent(56), true, insert(4, 1), foreign, Intact, 0},
		{"inserted behind the token", sent(56), true, insert(8, 1), corrupt, Shifted, 8},
		{"64 inserted", sent(56), true, insert(20, 64), corrupt, Shifted, 20},
		{"65 inserted", sent(56), true, insert(20, 65), corrupt, Padded, 20},
		{"65 inserted before the token", sent(56), true, insert(0, 65), foreign, Intact, 0},
		{"3 missing", sent(56), true, remove(20, 3), corrupt, Shifted, 20},
		{"3 missing, filled up to length", sent(56), true, both(remove(20, 3), pad("abc")), corrupt, Shifted, 20},
		{"64 missing", sent(1400), true, remove(20, 64), corrupt, Shifted, 20},
		{"64 missing, filled", sent(1400), true, both(remove(20, 64), pad(string(make([]byte, 64)))), corrupt, Shifted, 20},
		{"65 missing", sent(1400), true, remove(20, 65), corrupt, Truncated, 20},
		{"one of the token missing", sent(56), true, remove(0, 1), foreign, Intact, 0},
		{"user's, 10 inserted", varied, false, insert(50, 10), corrupt, Shifted, 50},
		{"user's, 10 inserted, cut", varied, false, both(insert(5, 10), cut(100)), corrupt, Shifted, 5},
		{"user's, 50 missing", varied, false, remove(20, 50), corrupt, Shifted, 20},
		{"user's, 51 missing", varied, false, remove(20, 51), foreign, Intact, 0},
		{"repetitive, one byte", bytes.Repeat([]byte("a"), 56), false, set(30, "b"), corrupt, Flipped, 30},
		{"short token, inserted before", sent(4), true, insert(0, 2), corrupt, Shifted, 0},
		{"short token, one missing", sent(4), true, remove(0, 1), foreign, Intact, 0},

		{"a byte zeroed", sent(56), true, zero(31, 32), corrupt, Zeroed, 31},
		{"the pattern zeroed", sent(1400), true, zero(8, 1400), corrupt, Zeroed, 8},
		{"half of the token zeroed", sent(56), true, zero(0, 4), corrupt, Zeroed, 0},
		{"the token zeroed", sent(56), true, zero(0, 8), foreign, Intact, 0},
		{"all zeroed", sent(56), true, zero(0, 56), corrupt, Zeroed, 0},
		{"short token zeroed", sent(4), true, zero(0, 4), corrupt, Zeroed, 0},
		{"zeroed, and a bit", sent(56), true, both(zero(16, 20), flip(180, 1, 1)), corrupt, Flipped, 16},
		{"user's, all zeroed", varied, false, zero(0, 100), corrupt, Zeroed, 0},

		{"user's, cut to half and a bit", varied, false, both(cut(50), flip(8, 1, 1)), corrupt, Truncated, 1},
		{"user's, cut to less and a bit", varied, false, both(cut(49), flip(8, 1, 1)), foreign, Intact, 0},
		{"user's, another", []byte("hello, world"), false, set(0, "HELLO, WORLD"), corrupt, Flipped, 0},
		{"user's, all different", []byte("hello, world"), false, set(0, "goodbye, moo"), foreign, Intact, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.change(bytes.Clone(tt.want))
			d, v := compare(tt.want, tt.token, got)
			if v != tt.verdict || d.Class != tt.class || d.Offset != tt.offset {
				t.Fatalf("compare = %+v, verdict %d; want class %v at %d, verdict %d", d, v, tt.class, tt.offset, tt.verdict)
			}
			if v == corrupt && (d.Want != byteAt(tt.want, d.Offset) || d.Got != byteAt(got, d.Offset)) {
				t.Errorf("bytes at %d: want %d, got %d", d.Offset, d.Want, d.Got)
			}
		})
	}
}

// Each length, each bit: the classes that must not depend on where.
func TestCompareEverywhere(t *testing.T) {
	for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 56, 1472} {
		want := sent(n)
		for i := range n {
			if d, v := compare(want, true, want[:i]); v != corrupt || d != (Damage{Truncated, i, int16(want[i]), -1}) {
				t.Fatalf("%d of %d bytes: %+v, verdict %d", i, n, d, v)
			}
		}
		for bit := range 8 * n {
			got := flip(bit, 1, 1)(bytes.Clone(want))
			w := Damage{Flipped, bit / 8, int16(want[bit/8]), int16(got[bit/8])}
			if d, v := compare(want, true, got); v != corrupt || d != w {
				t.Fatalf("bit %d of %d bytes: %+v, verdict %d", bit, n, d, v)
			}
		}
	}
}

// Every shift by every length, from every place behind the token.
func TestCompareShifts(t *testing.T) {
	want := sent(400)
	for k := 1; k <= maxShift; k++ {
		for at := tokenLen; at < len(want); at += 13 {
			for name, c := range map[string]change{
				"inserted":     insert(at, k),
				"inserted cut": both(insert(at, k), cut(len(want))),
				"missing":      remove(at, min(k, len(want)-at)),
			} {
				got := c(bytes.Clone(want))
				d, v := compare(want, true, got)
				if v != corrupt || d.Class == Zeroed || d.Class == Padded {
					t.Fatalf("%s %d at %d: %+v, verdict %d", name, k, at, d, v)
				}
				if len(want)-at > 2*k && d.Class != Shifted {
					t.Fatalf("%s %d at %d: %+v, verdict %d", name, k, at, d, v)
				}
			}
		}
	}
}

// A forger knows the pattern, the length and everything else but the token.
func TestCompareForgeries(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	want := sent(56)
	for range 100_000 {
		got := bytes.Clone(want)
		icmpx.FillPayload(got, rng.Uint64(), nil)
		if d, v := compare(want, true, got); v != foreign {
			t.Fatalf("token %x: %+v, verdict %d", got[:8], d, v)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(sent(56), sent(56), true, uint16(0))
	f.Add(sent(56), insert(20, 3)(sent(56)), true, uint16(70))
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaa"), []byte("aaaabaaaaaaaaaaaaaaa"), false, uint16(9))
	f.Add([]byte{}, []byte("x"), true, uint16(1))
	f.Fuzz(func(t *testing.T, want, got []byte, token bool, where uint16) {
		d, v := compare(want, token, got)
		if equal := bytes.Equal(want, got); equal != (v == intact) {
			t.Fatalf("equal %v, verdict %d", equal, v)
		}
		if (v == corrupt) != (d.Class != Intact) {
			t.Fatalf("verdict %d with %+v", v, d)
		}
		if v == corrupt && (!bytes.Equal(want[:d.Offset], got[:d.Offset]) || d.Want == d.Got ||
			d.Want != byteAt(want, d.Offset) || d.Got != byteAt(got, d.Offset)) {
			t.Fatalf("%+v is not the first difference", d)
		}
		if len(want) == 0 {
			return
		}
		n := int(where) % len(want)
		if d, v := compare(want, token, want[:n]); v != corrupt || d.Class != Truncated {
			t.Fatalf("%d of %d bytes: %+v, verdict %d", n, len(want), d, v)
		}
		if d, v := compare(want, token, flip(int(where)%(8*len(want)), 1, 1)(bytes.Clone(want))); v != corrupt || d.Class != Flipped {
			t.Fatalf("bit %d: %+v, verdict %d", where, d, v)
		}
	})
}

func TestCompareDoesNotAllocate(t *testing.T) {
	want := sent(1400)
	for _, got := range [][]byte{sent(1400), insert(20, 7)(sent(1400)), zero(0, 1400)(sent(1400)), set(0, "other ot")(sent(1400))} {
		if n := testing.AllocsPerRun(10, func() { compare(want, true, got) }); n != 0 {
			t.Errorf("compare allocates %v times", n)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	constant := bytes.Repeat([]byte{0xff}, 65507)
	copy(constant, sent(8))
	late := bytes.Clone(constant)
	late[100] = 0
	set(60000, "\x00\x01")(late)
	for name, pair := range map[string][2][]byte{
		"intact":   {sent(65507), sent(65507)},
		"shifted":  {sent(65507), both(insert(8, 64), cut(65507))(sent(65507))},
		"foreign":  {sent(65507), bytes.Repeat([]byte{0x5a}, 65507)},
		"constant": {constant, late},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(pair[0])))
			b.ReportAllocs()
			for range b.N {
				compare(pair[0], true, pair[1])
			}
		})
	}
}
