package icmpx

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
)

// ports8 is the start of a UDP or TCP header.
func ports8(src, dst uint16) []byte {
	b := make([]byte, 8)
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	return b
}

// from4 gives the packet b another source.
func from4(b []byte) []byte {
	b[12] = 10
	return b
}

// back4 has the packet b go to the host that it would be from.
func back4(b []byte) []byte {
	copy(b[16:20], b[12:16])
	return b
}

func runFilter(t *testing.T, prog []bpf.Instruction, msg []byte) bool {
	t.Helper()
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(msg)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func TestErrorFilter(t *testing.T) {
	held := []uint16{40000, 40001, 50000}
	for _, tt := range []struct {
		name string
		f    Family
		msg  []byte
		pass bool
	}{
		{"own", IPv4, back4(packet4(5, 1, about(11, packet4(5, 17, ports8(40000, 53)...))...)), true},
		{"own on the last path", IPv4, back4(packet4(5, 1, about(3, packet4(5, 17, ports8(50000, 53)...))...)), true},
		{"own behind options", IPv4, back4(packet4(7, 1, about(3, packet4(5, 17, ports8(40001, 53)...))...)), true},
		{"of others", IPv4, back4(packet4(5, 1, about(11, packet4(5, 17, ports8(40002, 53)...))...)), false},
		{"translated", IPv4, back4(packet4(5, 1, about(11, from4(packet4(5, 17, ports8(40002, 53)...)))...)), true},
		{"translated behind options", IPv4, back4(packet4(6, 1, about(11, from4(packet4(5, 17, ports8(40002, 53)...)))...)), true},
		{"about TCP", IPv4, back4(packet4(5, 1, about(11, packet4(5, 6, ports8(40000, 53)...))...)), false},
		{"about a packet with options", IPv4, back4(packet4(5, 1, about(11, packet4(6, 17, ports8(1, 53)...))...)), true},
		{"echo reply", IPv4, packet4(5, 1, query8(0, 40000, 1)...), false},
		{"short quote", IPv4, back4(packet4(5, 1, about(11, packet4(5, 17, 0x9c))...)), false},
		{"header alone", IPv4, packet4(5, 1), false},

		{"own", IPv6, about(3, packet6(17, ports8(40000, 53)...)), true},
		{"own too big", IPv6, about(2, packet6(17, ports8(50000, 53)...)), true},
		{"of others", IPv6, about(3, packet6(17, ports8(40002, 53)...)), false},
		{"about TCP", IPv6, about(3, packet6(6, ports8(40000, 53)...)), false},
		{"about ICMPv6", IPv6, about(3, packet6(58, ports8(40000, 53)...)), false},
		{"about a fragment", IPv6, about(3, packet6(44, ports8(1, 53)...)), true},
		{"neighbour solicitation", IPv6, query8(135, 40000, 1), false},
		{"short quote", IPv6, about(3, packet6(17, 0x9c)), false},
	} {
		if got := runFilter(t, errorFilter(tt.f, protoUDP, held), tt.msg); got != tt.pass {
			t.Errorf("%v %s: passes %v, want %v", tt.f, tt.name, got, tt.pass)
		}
	}
}

func TestTCPFilter(t *testing.T) {
	for _, f := range []Family{IPv4, IPv6} {
		for flags := range 1 << 8 {
			for port, held := range map[uint16]bool{40000: true, 40001: true, 40002: false} {
				seg := append(ports8(80, port), make([]byte, 12)...)
				seg[13] = byte(flags)
				if f == IPv4 {
					seg = packet4(6, 6, seg...)
				}
				syn, rst := flags&0x12 == 0x12, flags&0x04 != 0
				if got := runFilter(t, tcpFilter(f, []uint16{40000, 40001}), seg); got != (held && (syn || rst)) {
					t.Errorf("%v flags %#02x to %d: passes %v", f, flags, port, got)
				}
			}
		}
	}
	if runFilter(t, tcpFilter(IPv4, []uint16{40000}), packet4(5, 6, ports8(80, 40000)...)) {
		t.Error("a short segment passes")
	}
}

// TestFindSentByPort finds probes behind link headers of any length, and takes
// nothing else for one.
func TestFindSentByPort(t *testing.T) {
	for i, family := range []Family{IPv4, IPv6} {
		f := testFlows[i]
		l := &portLink{family: family, proto: protoUDP, scheme: parisUDP{}, ports: []uint16{f.sport}}
		r := Request{Dst: f.dst, Key: Key{l.scheme.space(f.sport, f.dport).Flow, 77}}
		packet := make([]byte, family.HeaderLen()+40)
		l.scheme.put(&f, packet[family.HeaderLen():], &r)
		f.putIP(packet, ipFields{protoUDP, 1, 0, 77, false}, f.dst, nil)
		if family == IPv4 {
			binary.BigEndian.PutUint16(packet[10:], Checksum(packet[:20]))
		}
		for _, header := range []int{0, 4, 14, 18, 64} {
			k, dst, ok := l.findSent(append(make([]byte, header), packet...))
			if !ok || k != r.Key || dst != f.dst {
				t.Errorf("%v behind %d bytes: %v to %v, %v", family, header, k, dst, ok)
			}
		}
		for n := range packet[:family.HeaderLen()+8] {
			if k, _, ok := l.findSent(packet[:n]); ok {
				t.Errorf("%v: %v found in %d bytes", family, k, n)
			}
		}
		l.ports[0]++
		if _, _, ok := l.findSent(packet); ok && family == IPv6 {
			t.Errorf("%v: another's packet was taken for ours", family)
		}
	}
}

// FuzzHear has the receive path take whatever comes: it does not panic, and
// what it makes a reply of is about a probe from a port of ours.
func FuzzHear(f *testing.F) {
	for i, family := range []Family{IPv4, IPv6} {
		fl := testFlows[i]
		quote := make([]byte, family.HeaderLen()+40)
		parisUDP{}.put(&fl, quote[family.HeaderLen():], &Request{Key: Key{Tag: 77}})
		fl.putIP(quote, ipFields{protoUDP, 1, 0, 77, false}, fl.dst, nil)
		msg := about(3, quote)
		if family == IPv4 {
			binary.BigEndian.PutUint16(msg[2:], Checksum(msg))
			msg = packet4(5, protoICMP, msg...)
		}
		f.Add(family == IPv6, msg, uint32(100), uint8(11))
		syn := append(ports8(80, fl.sport), make([]byte, 12)...)
		syn[12], syn[13] = 0x50, TCPSyn|TCPAck
		f.Add(family == IPv6, syn, uint32(8), uint8(1))
	}
	f.Fuzz(func(t *testing.T, v6 bool, data []byte, ext uint32, typ uint8) {
		fl, family := testFlows[0], IPv4
		if v6 {
			fl, family = testFlows[1], IPv6
		}
		for _, s := range []scheme{parisUDP{}, classicUDP{}, synTCP{1}} {
			l := &portLink{family: family, proto: protoUDP, scheme: s, ports: []uint16{fl.sport}}
			if _, ok := s.(synTCP); ok {
				l.proto = protoTCP
			}
			l.sent.put(&Request{Dst: fl.dst, Key: Key{s.space(fl.sport, fl.dport).Flow, 77}}, nil)
			e := &ear{data: &inbox{}, errs: &inbox{}}
			a := arrival{data: data, name: fl.dst, offender: fl.dst, port: fl.dport, hasErr: true}
			a.err.Type, a.err.Data, a.err.Origin = typ, ext, family.sock().errOrigin
			var r Reply
			if l.hearError(e, &a, &r) && !ownFlow(s, r.Key.Flow, fl.sport) {
				t.Errorf("error about flow %#x", r.Key.Flow)
			}
			if l.tell(e, &a, &r) && !ownFlow(s, r.Key.Flow, fl.sport) {
				t.Errorf("queued error about flow %#x", r.Key.Flow)
			}
			if l.proto == protoTCP {
				l.hearSegment(e, &a, &r) // the kernel lets no others than ours pass
				l.fromQueue(&a, Key{}, e.errs.read, &r)
			} else {
				l.hearDatagram(e, &a, &r)
			}
			l.findSent(data)
		}
	})
}

func ownFlow(s scheme, flow uint32, port uint16) bool {
	if _, ok := s.(classicUDP); ok {
		return flow == uint32(port)
	}
	return flow>>16 == uint32(port)
}
