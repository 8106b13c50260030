package damage

import (
	"testing"

	"github.com/icmpx/icmpx/probe"
)

// flip returns a payload of n bytes that counts up, and a copy with bits turned.
func flip(n int, bit byte, at ...int) (want, got []byte, d probe.Damage) {
	want = make([]byte, n)
	for i := range want {
		want[i] = byte(i)
	}
	got = append(got, want...)
	for _, i := range at {
		got[i] ^= bit
	}
	return want, got, probe.Damage{Class: probe.Flipped, Offset: at[0], Want: int16(want[at[0]]), Got: int16(got[at[0]])}
}

func TestWords(t *testing.T) {
	tests := []struct {
		name string
		fill func(m *Map)
		want string
	}{
		{"one bit of one byte", func(m *Map) { m.Add(flip(56, 2, 17)) },
			"damage: 1 reply (1 flipped), at byte #17 of the payload (45 of the packet), bit 0x2"},
		{"a bit that sticks", func(m *Map) { m.Add(flip(56, 2, 17)); m.Add(flip(56, 2, 21)) },
			"damage: 2 replies (2 flipped), from byte #17 to #21 of the payload, 100% of it in the second quarter, always bit 0x2, which is always set"},
		{"a bit that is always clear", func(m *Map) { m.Add(flip(56, 1, 17)); m.Add(flip(56, 1, 17)) },
			"damage: 2 replies (2 flipped), always at byte #17 of the payload (45 of the packet), always bit 0x1, which is always clear"},
		{"a line of memory", func(m *Map) { m.Add(flip(1472, 3, 70, 134, 1094)); m.Add(flip(1472, 3, 198)) },
			"damage: 2 replies (2 flipped), 64 bytes apart or a multiple of it, from byte #70 to #1094 of the payload, 75% of it in the first quarter"},
		{"anywhere", func(m *Map) { m.Add(flip(1000, 3, 10, 311, 600, 999)) },
			"damage: 1 reply (1 flipped), from byte #10 to #999 of the payload, spread over it"},
		{"the end", func(m *Map) { m.Add(flip(1000, 3, 10, 801, 900, 901, 999)) },
			"damage: 1 reply (1 flipped), from byte #10 to #999 of the payload, 80% of it in the last quarter"},
		{"a small payload", func(m *Map) { m.Add(flip(8, 0x81, 0, 3)) },
			"damage: 1 reply (1 flipped), from byte #0 to #3 of the payload"},
		{"several kinds", func(m *Map) {
			m.Add(flip(56, 2, 17))
			m.Add(make([]byte, 56), make([]byte, 40), probe.Damage{Class: probe.Truncated, Offset: 40, Got: -1})
			m.Add(make([]byte, 56), make([]byte, 60), probe.Damage{Class: probe.Padded, Offset: 56, Want: -1})
		}, "damage: 3 replies (1 flipped, 1 truncated, 1 padded), from byte #17 to #56 of the payload, spread over it"},
		{"what cannot be", func(m *Map) {
			m.Add(nil, nil, probe.Damage{Class: 200, Offset: -1})
			m.Add(nil, nil, probe.Damage{Class: probe.Shifted, Offset: 1 << 30})
		}, "damage: 2 replies (1 intact, 1 shifted)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Map
			tt.fill(&m)
			if got := string(m.AppendWords(nil, 28)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
