package render

import (
	"testing"

	"github.com/icmpx/icmpx/internal/packet"
)

// TestPlace says where a frame was captured in the columns of tcpdump.
func TestPlace(t *testing.T) {
	cooked := func(typ byte) []byte {
		b := make([]byte, 20)
		b[0], b[7], b[10] = 8, 12, typ
		return b
	}
	const v2 = packet.LinkCookedV2
	for _, tt := range []struct {
		frame packet.Frame
		want  string
	}{
		{packet.Frame{Link: v2, Data: cooked(0), IfaceName: "eth0", Direction: packet.Incoming}, "eth0  In  "},
		{packet.Frame{Link: v2, Data: cooked(1), IfaceName: "lo", Direction: packet.Incoming}, "lo    B   "},
		{packet.Frame{Link: v2, Data: cooked(2), IfaceName: "wlp0s20f3", Direction: packet.Incoming}, "wlp0s20f3 M   "},
		{packet.Frame{Link: v2, Data: cooked(3), IfaceName: "a\x1bb", Direction: packet.Incoming}, `a\x1bb P   `},
		{packet.Frame{Link: v2, Data: cooked(4), IfaceName: "eth0", Direction: packet.Outgoing}, "eth0  Out "},
		{packet.Frame{Link: v2, Data: cooked(4), Direction: packet.Outgoing}, "#12   Out "},
		{packet.Frame{Link: v2, Data: cooked(4), IfaceName: "any", Direction: packet.Outgoing}, "#12   Out "},
		{packet.Frame{Link: v2, Data: cooked(0), Direction: packet.DirectionUnknown}, ""},
		{packet.Frame{Link: packet.LinkCooked, Data: cooked(0), Direction: packet.Incoming}, ""},
		{packet.Frame{Link: packet.LinkEthernet, IfaceName: "eth0", Direction: packet.Outgoing}, "eth0  Out "},
		{packet.Frame{Link: packet.LinkEthernet, IfaceName: "any", Direction: packet.Incoming}, "any   In  "},
	} {
		var text PacketText
		if got := string(text.appendPlace(nil, &tt.frame)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.frame, got, tt.want)
		}
	}
}

// TestPlaceOfCapture shows a capture of all interfaces as tcpdump -n does, but
// for the name that the number has on the host that reads it.
func TestPlaceOfCapture(t *testing.T) {
	var text PacketText
	text.Stamp = StampNone
	var got []byte
	eachFrame(t, "gen/lt_sll2.pcap", func(p *packet.Packet) {
		if p.Frame.Number == 1 {
			got = text.AppendPacket(got, p, nil)
		}
	})
	if want := "#2    In  IP 192.0.2.9 > 198.51.100.174: ICMP echo request, id 61128, seq 47575, length 32\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
