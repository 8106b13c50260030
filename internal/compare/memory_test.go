package compare

import (
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A torrent is a capture that is nowhere whole: requests and replies in turn, 20
// microseconds apart, of which each hundredth is not in the second capture.
type torrent struct {
	n, i   int
	second bool
	ip     []byte
	peak   *uint64
}

// An hour and 3 ms: the offset and the delay of the torrent.
const (
	torrentOffset = time.Hour
	torrentDelay  = 3 * time.Millisecond
)

func (s *torrent) Next(f *packet.Frame) error {
	if s.second && s.i%100 == 50 && s.i < s.n-1000 {
		s.i++
	}
	if s.i >= s.n {
		return io.EOF
	}
	if s.ip == nil {
		s.ip = echo(client4, server4, true, 7, 0, 0, make([]byte, 56))
	}
	reply := s.i%2 == 1
	s.fill(reply)
	at := time.Duration(s.i) * 20 * time.Microsecond
	if s.second {
		at += torrentOffset + torrentDelay
		if reply {
			at -= 2 * torrentDelay
		}
	}
	s.i++
	*f = packet.Frame{Number: s.i, Time: time.Unix(1e9, 0).Add(at), Len: len(s.ip), Data: s.ip, Link: packet.LinkRaw}
	if s.i%(1<<16) == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*s.peak = max(*s.peak, m.HeapAlloc)
	}
	return nil
}

// fill makes the packet of number i.
func (s *torrent) fill(reply bool) {
	ends := [2][4]byte{client4.As4(), server4.As4()}
	s.ip[20] = 8
	if reply {
		ends[0], ends[1] = ends[1], ends[0]
		s.ip[20] = 0
	}
	copy(s.ip[12:], ends[0][:])
	copy(s.ip[16:], ends[1][:])
	binary.BigEndian.PutUint16(s.ip[26:], uint16(s.i/2))
	binary.BigEndian.PutUint64(s.ip[28:], uint64(s.i/2)*0x9e3779b97f4a7c15)
	s.ip[22], s.ip[23] = 0, 0
	binary.BigEndian.PutUint16(s.ip[22:], icmpx.Checksum(s.ip[20:]))
}

// compareTorrents compares captures of n packets and returns the most memory that
// was in use.
func compareTorrents(t testing.TB, n int) (*Result, uint64) {
	t.Helper()
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	open := func(second bool) Open {
		return func() (Source, error) { return &torrent{n: n, second: second, peak: &peak}, nil }
	}
	r, err := Run(t.Context(), open(false), open(true), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r, peak - min(before.HeapAlloc, peak)
}

// TestMillion compares two captures of a million packets. Memory in use, garbage
// included, stays within twice what Options promises.
func TestMillion(t *testing.T) {
	const n = 1_000_000
	r, memory := compareTorrents(t, n)
	t.Logf("%d MiB", memory>>20)
	if memory > 140<<20 {
		t.Errorf("%d MiB in use", memory>>20)
	}
	lost := (n - 1000) / 100
	if int(r.AB.Lost+r.BA.Unseen) != lost || int(r.Matched) != n-lost || r.Unsettled > 0 || r.AB.Reordered+r.BA.Reordered > 0 {
		t.Errorf("got %d matched, %+v, %+v, %d unsettled; want %d lost", r.Matched, r.AB, r.BA, r.Unsettled, lost)
	}
	within(t, "offset", r.Clock.Offset, torrentOffset, time.Microsecond)
	within(t, "delay", r.AB.Delay.Max, torrentDelay, time.Microsecond)
}

func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		compareTorrents(b, 1_000_000)
	}
}
