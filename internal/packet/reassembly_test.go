package packet_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A feed gives frames to a decoder, a millisecond apart.
type feed struct {
	d     packet.Decoder
	p     packet.Packet
	at    time.Time
	n     int
	iface int
}

func newFeed() *feed { return &feed{at: time.Unix(1700000000, 0)} }

func (f *feed) frame(data []byte) *packet.Packet {
	f.n++
	f.at = f.at.Add(time.Millisecond)
	f.d.Decode(&packet.Frame{Number: f.n, Data: data, Len: len(data), Link: packet.LinkRaw, Time: f.at, Iface: f.iface}, &f.p)
	return &f.p
}

// part4 returns the bytes from lo to hi of a message as a fragment.
func part4(m []byte, id uint16, lo, hi int) []byte {
	return ip4(icmpx.IPv4Header{Proto: 1, ID: id, FragOff: lo, MF: hi < len(m)}, m[lo:hi])
}

func part6(m []byte, id uint16, lo, hi int) []byte {
	return fragment6(58, uint32(id), lo, hi < len(m), m[lo:hi])
}

// cut cuts a message into fragments at random places.
func cut(r *rand.Rand, m []byte, id uint16, part func([]byte, uint16, int, int) []byte) [][]byte {
	var list [][]byte
	for lo := 0; lo < len(m); {
		hi := min(lo+8*(1+r.IntN(60)), len(m))
		list = append(list, part(m, id, lo, hi))
		lo = hi
	}
	return list
}

// TestAnyOrder rebuilds messages whose fragments come in any order, some of
// them twice, mixed with those of others.
func TestAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		f := newFeed()
		var frames [][]byte
		want := map[uint16][]byte{}
		for id := range uint16(4) {
			family, part := icmpx.IPv4, part4
			if round%2 == 1 {
				family, part = icmpx.IPv6, part6
			}
			m := echo(family, id, 1000+r.IntN(4000))
			want[id] = m
			list := cut(r, m, id, part)
			frames = append(append(frames, list...), list[r.IntN(len(list))])
		}
		r.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		for _, data := range frames {
			p := f.frame(data)
			if p.Fragments == nil {
				continue
			}
			_, seq, _, _, _ := p.Echo()
			if !bytes.Equal(p.Message, want[seq]) || p.Checksum != packet.Good || p.MessageLen != len(p.Message) {
				t.Fatalf("round %d: seq %d was rebuilt wrong: %d bytes, checksum %v", round, seq, len(p.Message), p.Checksum)
			}
			delete(want, seq)
		}
		if c := f.d.Reassembly(); len(want) != 0 || c.Rebuilt < 4 || c.Expired+c.Evicted+c.Refused != 0 {
			t.Fatalf("round %d: %d messages were not rebuilt; %+v", round, len(want), c)
		}
	}
}

func TestFragmentRules(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	other := echo(icmpx.IPv4, 2, 1000)
	m6 := echo(icmpx.IPv6, 1, 1000)
	bad := bytes.Clone(m)
	bad[500] ^= 0xff
	big := make([]byte, 65535)
	tests := []struct {
		name    string
		frames  [][]byte
		from    []int  // frames that the last one's message was rebuilt from
		problem string // of the last frame
	}{
		{"plain", [][]byte{part4(m, 1, 0, 504), part4(m, 1, 504, 1008)}, []int{1, 2}, ""},
		{"another id", [][]byte{part4(m, 1, 0, 504), part4(m, 2, 504, 1008)}, nil, ""},
		{"same bytes twice", [][]byte{part4(m, 1, 0, 504), part4(m, 1, 0, 504)}, nil, packet.ProblemDuplicate},
		{"overlap", [][]byte{part4(m, 1, 0, 504), part4(m, 1, 400, 1008)}, []int{1, 2}, packet.ProblemOverlap},
		{"conflict", [][]byte{part4(m, 1, 0, 504), part4(bad, 1, 400, 1008)}, []int{1, 2}, packet.ProblemConflict},
		{"two ends", [][]byte{part4(m, 1, 504, 1008), part4(m[:800], 1, 96, 800)}, nil, packet.ProblemFragmentEnd},
		{"behind the end", [][]byte{part4(m[:800], 1, 504, 800), part4(m, 1, 504, 904)}, nil, packet.ProblemFragmentEnd},
		{"unaligned", [][]byte{part4(m, 1, 504, 1008), part4(m, 1, 0, 503)}, nil, packet.ProblemFragmentLength},
		{"empty", [][]byte{part4(m, 1, 0, 504), part4(m, 1, 504, 504)}, nil, packet.ProblemFragmentLength},
		{"too long", [][]byte{part4(big, 1, 65528-8, 65535)}, nil, packet.ProblemTooLong},
		{"again, all of it", [][]byte{part4(m, 1, 0, 504), part4(m, 1, 504, 1008), part4(m, 1, 0, 504), part4(m, 1, 504, 1008)}, []int{3, 4}, packet.ProblemDuplicate},
		{"identification used again", [][]byte{
			part4(m, 1, 0, 504), part4(m, 1, 504, 1008), part4(m, 1, 504, 1008),
			part4(other, 1, 0, 504), part4(other, 1, 504, 1008),
		}, []int{4, 5}, ""},
		{"v6", [][]byte{part6(m6, 1, 504, 1008), part6(m6, 1, 0, 504)}, []int{2, 1}, ""},
		{"v6 same twice", [][]byte{part6(m6, 1, 0, 504), part6(m6, 1, 0, 504), part6(m6, 1, 504, 1008)}, []int{1, 2, 3}, ""},
		{"v6 overlap", [][]byte{part6(m6, 1, 0, 504), part6(m6, 1, 400, 1008)}, nil, packet.ProblemOverlap},
		{"v6 after an overlap", [][]byte{part6(m6, 1, 0, 504), part6(m6, 1, 400, 1008), part6(m6, 1, 504, 1008)}, nil, packet.ProblemDropped},
		{"v6 unaligned", [][]byte{part6(m6, 1, 0, 503)}, nil, packet.ProblemFragmentLength},
		{"v6 atomic", [][]byte{part6(m6, 1, 0, 504), fragment6(58, 1, 0, false, m6)}, nil, ""},
		{"v6 next header of the first alone", [][]byte{part6(m6, 1, 0, 504), fragment6(17, 1, 504, false, m6[504:])}, []int{1, 2}, ""},
	}
	for _, tt := range tests {
		f := newFeed()
		var p *packet.Packet
		for _, data := range tt.frames {
			p = f.frame(data)
		}
		code := ""
		if len(p.Problems) > 0 {
			code = p.Problems[0].Code
		}
		if !slices.Equal(p.Fragments, tt.from) || code != tt.problem || len(p.Problems) > 1 {
			t.Errorf("%s: from %v, want %v; problems %v, want %q", tt.name, p.Fragments, tt.from, p.Problems, tt.problem)
		}
	}
}

// TestFirstBytesHold makes sure of whose bytes a conflict leaves.
func TestFirstBytesHold(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	bad := bytes.Clone(m)
	for i := 400; i < 504; i++ {
		bad[i] ^= 0xff
	}
	f := newFeed()
	f.frame(part4(m, 1, 0, 504))
	if p := f.frame(part4(bad, 1, 400, 1008)); !bytes.Equal(p.Message, m) || p.Checksum != packet.Good {
		t.Error("bytes that came later took the place of earlier ones")
	}
	f.frame(part4(bad, 2, 400, 1008))
	if p := f.frame(part4(m, 2, 0, 504)); !bytes.Equal(p.Message[400:504], bad[400:504]) || p.Checksum != packet.Bad {
		t.Error("bytes of a lower offset took the place of earlier ones")
	}
}

func TestFragmentTimeout(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	for _, tt := range []struct {
		wait time.Duration
		want bool
	}{{59 * time.Second, true}, {61 * time.Second, false}, {-time.Hour, true}} {
		f := newFeed()
		f.frame(part4(m, 1, 0, 504))
		f.at = f.at.Add(tt.wait)
		p := f.frame(part4(m, 1, 504, 1008))
		if got := p.Fragments != nil; got != tt.want {
			t.Errorf("after %v: rebuilt %v", tt.wait, got)
		}
		if c := f.d.Reassembly(); !tt.want && (c.Expired != 1 || c.Pending != 1) {
			t.Errorf("after %v: %+v", tt.wait, c)
		}
	}
	f := newFeed()
	f.at = time.Time{}
	f.d.Decode(&packet.Frame{Number: 1, Data: part4(m, 1, 0, 504), Len: 524, Link: packet.LinkRaw}, &f.p)
	f.d.Decode(&packet.Frame{Number: 2, Data: part4(m, 1, 504, 1008), Len: 524, Link: packet.LinkRaw}, &f.p)
	if f.p.Fragments == nil {
		t.Error("frames without a time are not rebuilt")
	}
}

// TestPlaces keeps fragments apart that were captured at different places.
func TestPlaces(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	f := newFeed()
	f.frame(part4(m, 1, 0, 504))
	f.iface = 2
	if p := f.frame(part4(m, 1, 504, 1008)); p.Fragments != nil {
		t.Error("fragments of two interfaces make one datagram")
	}
	f.iface = 0
	if p := f.frame(part4(m, 1, 504, 1008)); !slices.Equal(p.Fragments, []int{1, 3}) {
		t.Errorf("rebuilt from %v, want frames 1 and 3", p.Fragments)
	}
}

// TestTunnelFragments rebuilds a tunnel's packets and what is in them.
func TestTunnelFragments(t *testing.T) {
	m := echo(icmpx.IPv4, 1, 1000)
	inner1, inner2 := part4(m, 9, 0, 504), part4(m, 9, 504, 1008)
	f := newFeed()
	outer := func(id uint16, inner []byte, lo, hi int) []byte {
		return ip4(icmpx.IPv4Header{Proto: 4, ID: id, FragOff: lo, MF: hi < len(inner)}, inner[lo:hi])
	}
	f.frame(outer(1, inner1, 0, 400))
	f.frame(outer(1, inner1, 400, len(inner1)))
	f.frame(outer(2, inner2, 400, len(inner2)))
	p := f.frame(outer(2, inner2, 0, 400))
	if !bytes.Equal(p.Message, m) || p.Depth != 2 || p.Checksum != packet.Good {
		t.Errorf("%d bytes at depth %d, checksum %v, problems %v", len(p.Message), p.Depth, p.Checksum, p.Problems)
	}
}

// TestBoundedMemory floods the decoder with fragments that never make a
// datagram.
func TestBoundedMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 1400)
	f := newFeed()
	most := 0
	for i := range 200_000 {
		n := 8 * (1 + r.IntN(len(data)/8))
		off := 8 * r.IntN((65500-n)/8)
		id := uint16(i)
		if i%3 == 0 {
			id = uint16(r.IntN(4))
		}
		f.at = f.at.Add(-time.Millisecond) // no timer helps
		f.frame(ip4(icmpx.IPv4Header{Proto: 1, ID: id, FragOff: off, MF: true}, data[:n]))
		if i%500 == 0 {
			most = max(most, packet.Held(&f.d))
		}
	}
	if c := f.d.Reassembly(); c.Evicted == 0 || c.Pending == 0 {
		t.Errorf("%+v: the flood was no flood", c)
	}
	if limit := 6 << 20; most > limit {
		t.Errorf("up to %d bytes were held, more than %d", most, limit)
	}
}
