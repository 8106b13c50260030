package icmpx_test

import (
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"

	"github.com/icmpx/icmpx/icmpx"
)

// The benchmarks decode the same bytes with this package, x/net/icmp and
// gopacket: an echo reply with 56 bytes of data, and a time exceeded that
// quotes a whole echo request. Only this package verifies the checksums and
// reads the quoted transport header of x/net's messages.

func benchEcho() []byte {
	b := make([]byte, 64)
	icmpx.FillPayload(b[8:], 0x0123456789abcdef, nil)
	icmpx.PutEcho(b, 0, 0, 0x1234, 7)
	return b
}

func benchTimeExceeded() []byte {
	quoted := append(quotedHeader(84, 1), benchEcho()...)
	quoted[20] = 8 // an echo request
	return mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmpx.TimeExceeded{Data: quoted})
}

func BenchmarkEchoReply(b *testing.B) { benchDecoders(b, benchEcho(), false) }

func BenchmarkTimeExceeded(b *testing.B) { benchDecoders(b, benchTimeExceeded(), true) }

func benchDecoders(b *testing.B, msg []byte, quote bool) {
	b.Run("icmpx", func(b *testing.B) { benchICMPX(b, msg) })
	b.Run("xnet", func(b *testing.B) { benchXNet(b, msg, quote) })
	b.Run("gopacket-parser", func(b *testing.B) { benchParser(b, msg, quote) })
	b.Run("gopacket-packet", func(b *testing.B) { benchPacket(b, msg, quote) })
}

func benchICMPX(b *testing.B, msg []byte) {
	b.ReportAllocs()
	var r icmpx.Reply
	for b.Loop() {
		if err := icmpx.DecodeReply(icmpx.IPv4, msg, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func benchXNet(b *testing.B, msg []byte, quote bool) {
	b.ReportAllocs()
	for b.Loop() {
		m, err := icmp.ParseMessage(1, msg)
		if err != nil {
			b.Fatal(err)
		}
		if quote {
			if _, err := icmp.ParseIPv4Header(m.Body.(*icmp.TimeExceeded).Data); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchParser uses gopacket's way without allocation.
func benchParser(b *testing.B, msg []byte, quote bool) {
	b.ReportAllocs()
	var outer, inner layers.ICMPv4
	var ip layers.IPv4
	var data gopacket.Payload
	outerParser := gopacket.NewDecodingLayerParser(layers.LayerTypeICMPv4, &outer, &data)
	innerParser := gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &ip, &inner, &data)
	decoded := make([]gopacket.LayerType, 0, 4)
	for b.Loop() {
		if err := outerParser.DecodeLayers(msg, &decoded); err != nil {
			b.Fatal(err)
		}
		if quote {
			if err := innerParser.DecodeLayers(outer.Payload, &decoded); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchPacket(b *testing.B, msg []byte, quote bool) {
	b.ReportAllocs()
	opts := gopacket.DecodeOptions{Lazy: true, NoCopy: true}
	for b.Loop() {
		p := gopacket.NewPacket(msg, layers.LayerTypeICMPv4, opts)
		l := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if quote {
			if gopacket.NewPacket(l.Payload, layers.LayerTypeIPv4, opts).Layer(layers.LayerTypeICMPv4) == nil {
				b.Fatal("no ICMP in the quote")
			}
		}
	}
}

// TestDecodeAllocs holds the receive path to no allocation at all.
func TestDecodeAllocs(t *testing.T) {
	var r icmpx.Reply
	notOurs := benchEcho()
	notOurs[0] = 8
	for name, msg := range map[string][]byte{
		"echo reply": benchEcho(), "time exceeded": benchTimeExceeded(),
		"request": notOurs, "wrong checksum": append(benchEcho(), 1), "short": {0, 0},
		"short quote": mustMarshal(ipv4.ICMPTypeTimeExceeded, 0, &icmp.RawBody{Data: make([]byte, 24)}),
	} {
		if n := testing.AllocsPerRun(100, func() { _ = icmpx.DecodeReply(icmpx.IPv4, msg, &r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	packet := append(quotedHeader(84, 1), benchEcho()...)
	if n := testing.AllocsPerRun(100, func() { _, _ = icmpx.ParseQuote(packet, icmpx.IPv4) }); n != 0 {
		t.Errorf("quote: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		icmpx.FillPayload(packet, 1, nil)
		icmpx.PutEcho(packet, 8, 0, 1, 2)
	}); n != 0 {
		t.Errorf("echo: %v allocations", n)
	}
}
