package conversation

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

var (
	client  = netip.MustParseAddr("192.0.2.1")
	server  = netip.MustParseAddr("198.51.100.2")
	router  = netip.MustParseAddr("203.0.113.3")
	client6 = netip.MustParseAddr("2001:db8::1")
	server6 = netip.MustParseAddr("2001:db8::2")
	start   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// A world adds packets to a tracker and notes what it says.
type world struct {
	*Tracker
	frame  int
	at     time.Duration
	events []string
}

func newWorld(o Options) *world {
	w := &world{}
	o.Sink = func(e *Event) { w.events = append(w.events, describe(e)) }
	w.Tracker = New(o)
	return w
}

// describe writes an event in short: "reply 1>2 1ms".
func describe(e *Event) string {
	s := fmt.Sprintf("%v %d>%d", e.Kind, e.Request, e.Reply)
	if e.Earlier != 0 {
		s += fmt.Sprintf(" after %d", e.Earlier)
	}
	if e.RTT >= 0 {
		s += " " + e.RTT.String()
	}
	if e.Kind == Error {
		s += fmt.Sprintf(" type %d", e.Type)
	}
	if e.Tries > 1 {
		s += fmt.Sprintf(" tries %d", e.Tries)
	}
	for word, set := range map[string]bool{" ambiguous": e.Ambiguous, " late": e.Late, " ended": e.Ended, " notice": e.Notice} {
		if set {
			s += word
		}
	}
	return s
}

// message returns an ICMP message of 8 bytes and some data.
func message(typ, code uint8, id, seq uint16, data string) []byte {
	m := make([]byte, 8, 8+len(data))
	m[0], m[1] = typ, code
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], seq)
	m = append(m, data...)
	binary.BigEndian.PutUint16(m[2:], icmpx.Checksum(m))
	return m
}

// ip4 returns an IPv4 packet.
func ip4(src, dst netip.Addr, proto uint8, id uint16, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	binary.BigEndian.PutUint16(b[4:], id)
	copy(b[12:], src.AsSlice())
	copy(b[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(b[10:], icmpx.Checksum(b))
	return append(b, payload...)
}

// ip6 returns an IPv6 packet.
func ip6(src, dst netip.Addr, proto uint8, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[6], b[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	copy(b[8:], src.AsSlice())
	copy(b[24:], dst.AsSlice())
	return append(b, payload...)
}

// packetOf returns what a decoder makes of a message.
func packetOf(src, dst netip.Addr, msg []byte) *packet.Packet {
	f := icmpx.FamilyOf(src)
	p := &packet.Packet{
		Frame:   &packet.Frame{Len: 14 + f.HeaderLen() + len(msg)},
		IP:      packet.IP{Family: f, Src: src, Dst: dst, TTL: 64, Protocol: protocolOf(f)},
		Message: msg, MessageLen: len(msg),
	}
	if msg != nil {
		p.ICMP = f
	}
	if len(msg) > 1 {
		p.Type, p.Code = msg[0], msg[1]
	}
	return p
}

// add adds a packet a millisecond after the last.
func (w *world) add(p *packet.Packet) {
	w.frame++
	w.at += time.Millisecond
	p.Frame.Number, p.Frame.Time = w.frame, start.Add(w.at)
	w.Add(p)
}

// icmp adds a message between two hosts.
func (w *world) icmp(src, dst netip.Addr, msg []byte) { w.add(packetOf(src, dst, msg)) }

// fragment adds a fragment; msg is nil in those that begin and complete nothing.
func (w *world) fragment(src, dst netip.Addr, msg []byte, offset int, from ...int) {
	p := packetOf(src, dst, msg)
	p.IP.Fragment, p.IP.Offset, p.Fragments = true, offset, from
	p.Partial = msg != nil && from == nil
	w.add(p)
}

func (w *world) want(t *testing.T, events ...string) {
	t.Helper()
	if got, want := strings.Join(w.events, "\n"), strings.Join(events, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w.balance(t)
}

// balance checks that each try ends in one place.
func (w *world) balance(t *testing.T) {
	t.Helper()
	s := w.Stats()
	if s.Requests != s.Replies+s.Errors+s.Unanswered+s.Waiting+s.Forgotten {
		t.Errorf("the account does not balance: %+v", s)
	}
}
