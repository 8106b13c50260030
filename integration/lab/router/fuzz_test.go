package router

import (
	"bytes"
	"testing"
	"time"
)

// everything is a configuration with all there is.
func everything() Config {
	tos := uint8(0x28)
	rules := func() []Rule {
		return []Rule{
			{When{Every: 2}, Corrupt(func(b []byte) []byte { return append(b, b...) })},
			{When{Every: 3}, Duplicate(1, ms)}, {When{Chance: 0.5}, Truncate(9)}, {When{Chance: 0.5}, Insert(1, 1)},
			{When{}, Remove(2, 1)}, {When{}, Zero(3, 4)}, {When{}, Flip(9)}, {When{Chance: 0.5}, FlipRandom(3)},
			{When{Every: 3}, Forge(nil, 2, -ms, 0)}, {When{}, Replay(1, ms)}, {When{}, Mark(1)},
			{When{Every: 5}, SendFrom(client4)}, {When{Every: 5}, SendFrom(client6)},
			{When{}, SourceQuench()}, {When{}, Redirect(gate4, 1)}, {When{Every: 7}, Problem(1)},
			{When{Every: 11}, TooBig(1)}, {When{Every: 13}, Refuse(Error{3, 1}, Error{1, 1})}, {When{Chance: 0.5}, BadChecksum()},
		}
	}
	return Config{
		Hops: []Hop{
			{MTU: 100, ReturnMTU: 68, Quote: Quote{TTL: 9, SwapLen: true, ZeroSum: true, Ext: make([]byte, 8)}, Rules: rules()},
			{Or: []Hop{{Quote: Quote{Ext: make([]byte, 8), LegacyExt: true}}}, NAT4: hopAddr4(150), NAT6: hopAddr6(150), NATShift: 7},
			{TOS: &tos, Back: Way{Jitter: ms, Loss: 0.1}, ZeroTTL: true, Answers: Policer{Burst: 5, Rate: 10}},
		},
		Delay: ms, There: Way{Rules: rules()}, Back: Way{Rules: rules(), Jitter: ms},
	}
}

// FuzzEngine hands the engine any frames, one after the other, cut where the
// fuzzer says, by each port. It must not panic, and what it sends must fit the
// device and be IP packets in order.
func FuzzEngine(f *testing.F) {
	port := testPorts(1)[0]
	add := func(ips ...[]byte) {
		var all []byte
		n := 0
		for _, ip := range ips {
			one := frame(port, ip)
			n = len(one)
			all = append(all, one...)
		}
		f.Add(all, uint16(n))
	}
	for _, v6 := range []bool{false, true} {
		for _, ttl := range []uint8{0, 1, 2, 64} {
			add(echo(v6, ttl, 1, 200))
			add(udp(v6, ttl, 9, make([]byte, 30)))
		}
		add(echo(v6, 64, 1, 20), echo(v6, 64, 2, 20), echo(v6, 64, 3, 20))
		add(reversed(echo(v6, 64, 1, 20)))
	}
	add(packet4(client4, gate4, 64, ping()))
	f.Add(unhex("ffffffffffff 020000000000 0806 0001 0800 06 04 0001 020000000000 c000020a 000000000000 c0000201"), uint16(42))
	f.Add(solicitation(client6, gate6, gate6, 255), uint16(86))
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		b = bytes.Clone(b)
		e, err := newEngine(everything(), testPorts(1))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 9 && len(b) > 0; i++ {
			n := min(max(int(size), 1), len(b))
			e.receive(time.Duration(i)*ms, i%3, b[:n])
			// The same with headers that get further.
			ip := b[min(etherLen, n):n]
			if len(ip) >= 20 && ip[0]>>4 == 4 {
				fixHeader(ip)
			}
			e.receive(time.Duration(i)*ms, i%3, frame(e.ports[i%3], ip))
			b = b[n:]
		}
		for _, p := range e.due(time.Hour, nil) {
			if len(p.Bytes) > defaultMTU {
				t.Errorf("sent %d bytes", len(p.Bytes))
			}
			q := Packet{Bytes: p.Bytes}
			if kind := uint16(p.ether[12])<<8 | uint16(p.ether[13]); kind != etherARP && q.parse() != nil {
				t.Errorf("sent % x", p.Bytes)
			}
		}
		if at, ok := e.next(); ok {
			t.Errorf("something waits until %v", at)
		}
	})
}
