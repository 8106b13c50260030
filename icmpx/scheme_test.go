package icmpx

import (
	"net/netip"
	"testing"
)

// sentBy records probes as a link does that sends from port 40000 to 33434.
func sentBy(s scheme, dst netip.Addr, tags ...uint32) *sentRing {
	ring := new(sentRing)
	for _, tag := range tags {
		ring.put(&Request{Dst: dst, Key: Key{s.space(40000, 33434).Flow, tag}}, nil)
	}
	return ring
}

// TestKeyOf has quotes find their probe whatever a translator has made of them,
// and none find another.
func TestKeyOf(t *testing.T) {
	dst, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	syn := synTCP{base: 0x1234}
	quote := func(set func(*Quote)) Quote {
		q := Quote{
			Family: IPv4, Dst: dst, SrcPort: 40000, DstPort: 33434, HasL4: true, L4Len: 40,
			Checksum: 7, ID: 7, Seq: syn.base - 7<<synStride,
		}
		set(&q)
		return q
	}
	as := func(q Quote) func(*Quote) { return func(p *Quote) { *p = q } }
	tests := []struct {
		name  string
		s     scheme
		quote Quote
		tag   uint32 // 0: not ours
	}{
		{"as sent", parisUDP{}, quote(func(q *Quote) {}), 7},
		{"old probe", parisUDP{}, quote(func(q *Quote) { q.Checksum, q.ID = 9000, 9000 }), 9000},
		{"identification rewritten", parisUDP{}, quote(func(q *Quote) { q.ID = 8 }), 7},
		{"checksum rewritten", parisUDP{}, quote(func(q *Quote) { q.Checksum = 9000 }), 7},
		{"both rewritten", parisUDP{}, quote(func(q *Quote) { q.Checksum, q.ID = 9000, 9001 }), 9000},
		{"source port translated", parisUDP{}, quote(func(q *Quote) { q.SrcPort, q.Checksum = 1024, 9000 }), 7},
		{"of others", parisUDP{}, quote(func(q *Quote) { q.SrcPort, q.ID = 1024, 9000 }), 0},
		{"of others to another port", parisUDP{}, quote(func(q *Quote) { q.SrcPort, q.DstPort = 1024, 53 }), 0},
		{"of others to another host", parisUDP{}, quote(func(q *Quote) { q.SrcPort, q.Dst = 1024, other }), 0},
		{"to another host", parisUDP{}, quote(func(q *Quote) { q.Dst = other }), 7}, // of which the engine judges
		{"no room for a filler", parisUDP{}, quote(func(q *Quote) { q.L4Len, q.Checksum = 8, 8 }), 7},
		{"no room, and rewritten", parisUDP{}, quote(func(q *Quote) { q.L4Len, q.ID = 9, 9000 }), 0},
		{"no checksum", parisUDP{}, quote(func(q *Quote) { q.Checksum, q.ID = 0, 9000 }), 0},
		{"IPv6", parisUDP{}, quote(func(q *Quote) { q.Family, q.ID = IPv6, 0 }), 7},
		{"IPv6 of others", parisUDP{}, quote(func(q *Quote) { q.Family, q.SrcPort = IPv6, 1024 }), 0},

		{"as sent", classicUDP{}, quote(func(q *Quote) { q.DstPort, q.ID = 33440, 33440 }), 33440},
		{"port rewritten", classicUDP{}, quote(func(q *Quote) { q.DstPort, q.ID = 53, 33440 }), 33440},
		{"source port translated", classicUDP{}, quote(func(q *Quote) { q.SrcPort, q.DstPort, q.ID = 1024, 33440, 33440 }), 33440},
		{"IPv6", classicUDP{}, quote(func(q *Quote) { q.Family, q.DstPort, q.ID = IPv6, 33440, 0 }), 33440},

		{"as sent", syn, quote(func(q *Quote) {}), 7},
		{"number randomized", syn, quote(func(q *Quote) { q.Seq += 77 }), 7},
		{"number of nobody", syn, quote(func(q *Quote) { q.Seq, q.ID = q.Seq+77, 9000 }), 0},
		{"source port translated", syn, quote(func(q *Quote) { q.SrcPort = 1024 }), 7},
		{"IPv6", syn, quote(func(q *Quote) { q.Family = IPv6 }), 7},
		{"IPv6 number of nobody", syn, quote(func(q *Quote) { q.Family, q.Seq = IPv6, q.Seq+1 }), 0},
	}
	for _, tt := range tests {
		ring := sentBy(tt.s, dst, 7, 33440)
		if _, ok := tt.s.(classicUDP); !ok {
			ring = sentBy(tt.s, dst, 6, 7, 8)
		}
		q := quote(as(tt.quote))
		k, ok := keyOf(tt.s, ring, []uint16{39999, 40000}, &q)
		if want := (Key{tt.s.space(40000, 33434).Flow, tt.tag}); ok != (tt.tag != 0) || ok && k != want {
			t.Errorf("%T %s: %v, %v, want %v", tt.s, tt.name, k, ok, want)
		}
	}
}

// TestKeyOfPayload has the quoted payload tell the probe where its header was
// changed, or names another.
func TestKeyOfPayload(t *testing.T) {
	const sport, dport, plain = 40000, 33434, 9
	dst := netip.MustParseAddr("2001:db8::1")
	own := []byte("ten bytes.") // of two probes: no token
	for _, s := range []scheme{parisUDP{}, classicUDP{}} {
		flow := s.space(sport, dport).Flow
		ring := new(sentRing)
		put := func(tag uint32, payload []byte) []byte {
			r := Request{Dst: dst, Key: Key{flow, tag}, Token: uint64(tag) << 40, Payload: payload}
			b := make([]byte, 10)
			putPayload(b, &r)
			ring.put(&r, b)
			return b
		}
		six, seven := put(6, nil), put(7, nil)
		put(8, own)
		put(plain, own)
		for _, tt := range []struct {
			name    string
			tag     uint16 // as quoted
			payload []byte
			want    uint32
		}{
			{"as sent", 7, seven, 7},
			{"rewritten", 9000, seven, 7},
			{"rewritten, cut behind the token", 9000, seven[:8], 7},
			{"rewritten to another's", 6, seven, 7},
			{"rewritten from another's", 7, six, 6},
			{"rewritten, token cut", 9000, seven[:7], 9000},
			{"rewritten, filled up", 9000, make([]byte, 10), 9000},
			{"filled up", 7, make([]byte, 10), 7},
			{"short", 7, nil, 7},
			{"forged", 7, []byte("nobody's"), 7}, // of which the engine judges
			{"payload of its own", plain, own, plain},
			{"rewritten, payload of its own", 9000, own, 9000},
		} {
			q := Quote{
				Family: IPv6, Dst: dst, SrcPort: sport, DstPort: dport, HasL4: true, L4Len: 18,
				Checksum: tt.tag, Payload: tt.payload,
			}
			if _, classic := s.(classicUDP); classic {
				q.DstPort = tt.tag
			}
			if k, ok := keyOf(s, ring, []uint16{sport}, &q); !ok || k != (Key{flow, tt.want}) {
				t.Errorf("%T %s: %v, %v, want tag %d", s, tt.name, k, ok, tt.want)
			}
		}
		q := Quote{Family: IPv6, Dst: dst, SrcPort: 1024, DstPort: dport, HasL4: true, L4Len: 18, Checksum: 9000, Payload: seven}
		if k, ok := keyOf(s, ring, []uint16{sport}, &q); !ok || k != (Key{flow, 7}) {
			t.Errorf("%T source port translated: %v, %v, want tag 7", s, k, ok)
		}
		q.Payload = own
		if k, ok := keyOf(s, ring, []uint16{sport}, &q); ok {
			t.Errorf("%T: another's packet was taken for that of %v", s, k)
		}
	}
}

// TestClaim has datagrams find the probe that they answer.
func TestClaim(t *testing.T) {
	dst := netip.MustParseAddr("192.0.2.1")
	flow := parisUDP{}.space(40000, 53).Flow
	var ring sentRing
	if _, ok := ring.claim(flow, dst, nil); ok {
		t.Error("an empty ring has an owner")
	}
	for n := uint32(1); n <= 8; n++ {
		ring.put(&Request{Dst: dst, TTL: uint8(n), Key: Key{flow, n}}, []byte{1, byte(n), 3, 4, 5, 6, 7, 8, 9})
	}
	for n := uint32(1); n <= 3; n++ {
		ring.note(Key{flow, n})
	}
	for _, tt := range []struct {
		name string
		flow uint32
		dst  netip.Addr
		data []byte
		want uint32
	}{
		{"another host", flow, dst.Next(), nil, 0},
		{"another flow", flow + 1, dst, nil, 0},
		{"echo", flow, dst, []byte{1, 6, 3, 4, 5, 6, 7, 8, 9}, 6},
		{"echo again", flow, dst, []byte{1, 6, 3, 4, 5, 6, 7, 8}, 6},
		{"echo of one that ended on the way", flow, dst, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 2},
		{"identifier", flow, dst, []byte{1, 7}, 7},
		{"nothing", flow, dst, nil, 8}, // those before the last answered one are past
		{"nothing left", flow, dst, []byte("none"), 0},
	} {
		e, ok := ring.claim(tt.flow, tt.dst, tt.data)
		if ok != (tt.want != 0) || e.key.Tag != tt.want {
			t.Errorf("%s: tag %d, %v, want %d", tt.name, e.key.Tag, ok, tt.want)
		}
	}
	var fresh sentRing
	for n := uint32(1); n <= 8; n++ {
		fresh.put(&Request{Dst: dst, TTL: uint8(n), Key: Key{flow, n}}, []byte{1})
	}
	fresh.note(Key{flow, 5}) // hops 1 to 4 are silent
	if e, ok := fresh.claim(flow, dst, []byte{1, 2, 3}); !ok || e.key.Tag != 6 {
		t.Errorf("first answer of the end: tag %d, %v, want 6", e.key.Tag, ok)
	}
}

// TestSentRingForgets has new probes take the place of the oldest.
func TestSentRingForgets(t *testing.T) {
	const sets = sentSlots / sentWays
	dst := netip.MustParseAddr("2001:db8::1")
	ring := sentBy(synTCP{}, dst, 1, 1+sets, 1+2*sets, 1+3*sets, 1+4*sets)
	flow := synTCP{}.space(40000, 33434).Flow
	if ring.has(Key{flow, 1}) || !ring.has(Key{flow, 1 + sets}) || !ring.has(Key{flow, 1 + 4*sets}) || ring.has(Key{flow + 1, 1 + sets}) {
		t.Error("the ring has not what was put last")
	}
	ring.note(Key{flow, 1}) // is about nothing
	for n := uint32(1); n <= 4; n++ {
		if e, _ := ring.find(Key{flow, 1 + n*sets}); e.said != saidNothing {
			t.Error("an answer to a forgotten probe was noted for another")
		}
	}
}

// TestSentRingFlows has flows that count the same tags not take each other's
// places.
func TestSentRingFlows(t *testing.T) {
	dst := netip.MustParseAddr("192.0.2.1")
	for _, s := range []scheme{parisUDP{}, synTCP{}} {
		ring := new(sentRing)
		ports := []uint16{44543, 55213, 37691, 35726}
		var quotes []Quote
		for _, port := range ports {
			k := Key{s.space(port, 33434).Flow, 1}
			r := Request{Dst: dst, Key: k, Token: 1 << 40} // the secret of another engine may be the same
			b := make([]byte, 20)
			putPayload(b, &r)
			ring.put(&r, b)
			q := Quote{Family: IPv4, Dst: dst, SrcPort: port, DstPort: 33434, HasL4: true, L4Len: 28, Checksum: 1, ID: 1, Payload: b}
			if syn, ok := s.(synTCP); ok {
				q.Seq = syn.base - 1<<synStride
			}
			quotes = append(quotes, q)
		}
		for i := range quotes {
			want := Key{s.space(ports[i], 33434).Flow, 1}
			if k, ok := keyOf(s, ring, ports, &quotes[i]); !ok || k != want {
				t.Errorf("%T flow %d: %v, %v, want %v", s, i, k, ok, want)
			}
		}
		q := quotes[0]
		q.SrcPort, q.Payload = 1024, nil // translated: it may be any of them
		if k, ok := keyOf(s, ring, ports, &q); ok {
			t.Errorf("%T source port translated: taken for that of %v", s, k)
		}
	}
}

// TestSchemeSizes has what does not fit be refused.
func TestSchemeSizes(t *testing.T) {
	payload := make([]byte, 20)
	for _, tt := range []struct {
		s    scheme
		f    Family
		r    Request
		want int // 0: an error
	}{
		{parisUDP{}, IPv4, Request{}, 8},
		{parisUDP{}, IPv4, Request{Size: 60}, 40},
		{parisUDP{}, IPv4, Request{Size: 27}, 0},
		{parisUDP{}, IPv4, Request{Size: 65535}, 65515},
		{parisUDP{}, IPv4, Request{Size: 65536}, 0},
		{parisUDP{}, IPv4, Request{Payload: payload}, 0},
		{parisUDP{}, IPv6, Request{Size: 49}, 0},
		{parisUDP{}, IPv6, Request{Size: 50}, 10},
		{parisUDP{}, IPv6, Request{Size: 65575}, 65535},
		{parisUDP{}, IPv6, Request{Size: 65576}, 0},
		{classicUDP{}, IPv4, Request{Payload: payload}, 28},
		{classicUDP{}, IPv4, Request{Payload: payload, Size: 60}, 40},
		{classicUDP{}, IPv4, Request{Payload: payload, Size: 47}, 0},
		{synTCP{}, IPv4, Request{}, 24},
		{synTCP{}, IPv4, Request{Size: 40}, 20},
		{synTCP{}, IPv4, Request{Size: 39}, 0},
		{synTCP{}, IPv6, Request{Size: 100}, 60},
		{synTCP{}, IPv4, Request{Payload: payload}, 44},
		{synTCP{}, IPv4, Request{Payload: payload, Size: 64}, 44},
		{synTCP{}, IPv4, Request{Payload: payload, Size: 63}, 0},
	} {
		n, err := tt.s.size(&tt.r, tt.f)
		if (err == nil) != (tt.want != 0) || err == nil && n != tt.want {
			t.Errorf("%T %v, %d bytes with a payload of %d: %d, %v, want %d", tt.s, tt.f, tt.r.Size, len(tt.r.Payload), n, err, tt.want)
		}
	}
}
