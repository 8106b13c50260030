package packet_test

import (
	"testing"

	"github.com/icmpx/icmpx/internal/packet"
)

// TestCookedPlace finds interface and direction in cooked headers, where the
// capture does not say them.
func TestCookedPlace(t *testing.T) {
	const address = "02000000000a0000"
	tests := []struct {
		name      string
		frame     packet.Frame // what the capture says
		head      string
		iface     int
		cooked    bool
		direction packet.Direction
	}{
		{"to the host", packet.Frame{Link: packet.LinkCooked}, "0000 0001 0006" + address + "0800", 0, false, packet.Incoming},
		{"to another", packet.Frame{Link: packet.LinkCooked}, "0003 0001 0006" + address + "0800", 0, false, packet.Incoming},
		{"sent", packet.Frame{Link: packet.LinkCooked}, "0004 0001 0006" + address + "0800", 0, false, packet.Outgoing},
		{"no packet type", packet.Frame{Link: packet.LinkCooked}, "0007 0001 0006" + address + "0800", 0, false, packet.DirectionUnknown},
		{"packet type of two bytes", packet.Frame{Link: packet.LinkCooked}, "0100 0001 0006" + address + "0800", 0, false, packet.DirectionUnknown},
		{"version 2, broadcast", packet.Frame{Link: packet.LinkCookedV2}, "0800 0000 00000009 0001 01 06" + address, 9, true, packet.Incoming},
		{"version 2, sent", packet.Frame{Link: packet.LinkCookedV2}, "0800 0000 00000009 0001 04 06" + address, 9, true, packet.Outgoing},
		{"a number that is none", packet.Frame{Link: packet.LinkCookedV2}, "0800 0000 ffffffff 0001 00 06" + address, 1<<31 - 1, true, packet.Incoming},
		{"number 0", packet.Frame{Link: packet.LinkCookedV2}, "0800 0000 00000000 0001 00 06" + address, 0, false, packet.Incoming},
		{"any is no interface", packet.Frame{Link: packet.LinkCookedV2, IfaceName: "any"}, "0800 0000 00000009 0001 00 06" + address, 9, true, packet.Incoming},
		{"a name", packet.Frame{Link: packet.LinkCookedV2, IfaceName: "eth0"}, "0800 0000 00000009 0001 00 06" + address, 0, false, packet.Incoming},
		{
			"the capture knows", packet.Frame{Link: packet.LinkCookedV2, Iface: 3, Direction: packet.Incoming},
			"0800 0000 00000009 0001 04 06" + address, 3, false, packet.Incoming,
		},
		{"cut short", packet.Frame{Link: packet.LinkCookedV2}, "0800 0000 00000009 0001 04", 0, false, packet.DirectionUnknown},
		{"not cooked", packet.Frame{Link: packet.LinkRaw}, "", 0, false, packet.DirectionUnknown},
	}
	for _, tt := range tests {
		f := tt.frame
		f.Data = bytesOf(tt.head)
		if tt.name != "cut short" {
			f.Data = append(f.Data, ping4()...)
		}
		f.Len = len(f.Data)
		var d packet.Decoder
		var p packet.Packet
		d.Decode(&f, &p)
		if f.Iface != tt.iface || f.IfaceCooked != tt.cooked || f.Direction != tt.direction {
			t.Errorf("%s: interface %d (cooked: %v), direction %d; want %d (%v), %d",
				tt.name, f.Iface, f.IfaceCooked, f.Direction, tt.iface, tt.cooked, tt.direction)
		}
	}
}
