package conversation

import (
	"net/netip"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// FuzzConversation feeds messages between few hosts in any order and at any time: nothing
// panics, the table stays bounded, and each try ends in one place.
func FuzzConversation(f *testing.F) {
	f.Add([]byte("\x00\x0c\x08\x00\x00\x00\x00\x01\x00\x01abcd\x01\x0c\x00\x00\x00\x00\x00\x01\x00\x01abcd"))
	f.Add(append([]byte{0x02, 36, 11, 0, 0, 0, 0, 0, 0, 0}, ip4(client, server, 1, 0, message(8, 0, 1, 1, ""))...))
	f.Fuzz(func(t *testing.T, in []byte) {
		hosts := []netip.Addr{client, server, router, netip.MustParseAddr("192.0.2.255")}
		w := newWorld(Options{Requests: 8, Hosts: 3})
		for len(in) >= 2 {
			how, n := in[0], min(int(in[1]), len(in)-2)
			msg := in[2 : 2+n]
			in = in[2+n:]
			p := packetOf(hosts[how&3], hosts[how>>2&3], msg)
			p.IP.Fragment = how&16 != 0
			if p.IP.Fragment && how&32 != 0 {
				p.Fragments = []int{w.frame, w.frame + 1}
			}
			p.Partial = p.IP.Fragment && p.Fragments == nil
			if how&64 != 0 {
				p.Message, p.ICMP = nil, 0
				p.IP.Protocol, p.IP.Payload = 17, msg
			}
			if how&128 != 0 {
				w.at += time.Duration(int8(n)) * time.Second
				p.Frame.Iface = n
			}
			w.add(p)
			if n := w.requests.used; n > 8 {
				t.Fatalf("%d entries", n)
			}
			w.balance(t)
		}
		w.add(&packet.Packet{Frame: &packet.Frame{}, IP: packet.IP{Family: icmpx.IPv6}})
		w.Finish()
		w.balance(t)
		s := w.Stats()
		if s.Waiting != 0 || w.groups != 0 || len(s.ByHosts) > 3 {
			t.Errorf("at the end: %+v, %d groups", s, w.groups)
		}
		var packets, unanswered uint64
		for _, h := range append(s.ByHosts, s.Others) {
			packets += h.Packets
			unanswered += h.Unanswered
		}
		if packets > s.Frames || unanswered > s.Requests {
			t.Errorf("%d packets of hosts among %d frames, %d unanswered of %d requests", packets, s.Frames, unanswered, s.Requests)
		}
	})
}
