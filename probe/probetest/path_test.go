package probetest_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// ttl returns an echo that gets as far as a hop.
func ttl(hop uint8) icmpx.Request {
	r := echo(uint32(hop))
	r.TTL = hop
	return r
}

func TestTimeExceeded(t *testing.T) {
	h := plain()
	h.Path[1].Ext = probetest.MPLS(probetest.Label{Label: 16001, TTL: 1})
	h.Path[1].QuoteTTL = 3
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		first := b.ask(ttl(1))[0]
		if first.From != router1 || first.Dst != host4 || first.after != 2*ms || first.Type != 11 || first.Code != 0 ||
			first.TTL != 255 || first.TOS != 0xc0 || first.Key.Tag != 1 {
			b.Errorf("hop 1: %+v", first)
		}
		q := first.Quote
		if !q.HasL4 || q.Dst != host4 || q.Src.String() != "192.0.2.250" || q.Proto != 1 || q.TTL != 1 || !q.DF ||
			q.TotalLen != 84 || q.Len != 84 || q.Type != 8 || q.ICMPID != 4001 || q.ICMPSeq != 1 || len(q.Payload) != 56 {
			b.Errorf("hop 1 quotes %+v", q)
		}
		second := b.ask(ttl(2))[0]
		if second.From != router2 || second.after != 10*ms || second.Quote.TTL != 3 || second.TTL != 254 || len(second.Ext) != 12 {
			b.Errorf("hop 2: %+v", second)
		}
		b.wantKinds(b.ask(ttl(3)), "echo_reply")
	})
}

// The label stack of RFC 4950 that is given as an example in many places.
func TestMPLS(t *testing.T) {
	got := probetest.MPLS(probetest.Label{Label: 19380, TTL: 1})
	want := []byte{0x20, 0x00, 0x99, 0x3a, 0x00, 0x08, 0x01, 0x01, 0x04, 0xbb, 0x41, 0x01}
	if !bytes.Equal(got, want) {
		t.Errorf("MPLS = %x, want %x", got, want)
	}
}

// The ICMP checksum in a quote is that of the message.
func TestQuotedChecksum(t *testing.T) {
	run(t, with(), func(b *bench) {
		r := ttl(1)
		r.Key.Tag = 0x1234
		q := b.ask(r)[0].Quote
		sum := uint32(q.Checksum) + 0x0800 + uint32(q.ICMPID) + uint32(q.ICMPSeq)
		for i := 0; i < len(q.Payload); i += 2 {
			sum += uint32(q.Payload[i])<<8 + uint32(q.Payload[i+1])
		}
		if sum%0xffff != 0 {
			b.Errorf("checksum %#x of the quote is wrong", q.Checksum)
		}
	})
}

func TestHops(t *testing.T) {
	size := func(n int, df icmpx.DF) icmpx.Request {
		r := echo(1)
		r.Size, r.DF = n, df
		return r
	}
	tests := []struct {
		name   string
		change func(*probetest.Host)
		req    icmpx.Request
		want   string // kind, sender, type/code, MTU, time of each answer
	}{
		{"delays add up", func(h *probetest.Host) {
			h.RTT, h.Delay, h.Path[0].RTT, h.Path[0].Delay, h.Path[1].RTT = 0, 3*ms, 0, ms, 0
		}, echo(1), "echo_reply 203.0.113.9 0/0 0 8ms"},
		{"lossy", func(h *probetest.Host) { h.Path[0].Loss = 1 }, ttl(1), ""},
		{"silent router", func(h *probetest.Host) { h.Path[0].Silent = true }, ttl(1), ""},
		{"behind a silent router", func(h *probetest.Host) { h.Path[0].Silent = true }, ttl(2), "time_exceeded 198.51.100.2 11/0 0 10ms"},
		{"router without an address", func(h *probetest.Host) { h.Path[0].Addr = netip.Addr{} }, ttl(1), ""},
		{"silent host", func(h *probetest.Host) { h.Silent = true }, echo(1), ""},
		{"black hole answers itself", func(h *probetest.Host) { h.Path[0].Drop = true }, ttl(1), "time_exceeded 198.51.100.1 11/0 0 2ms"},
		{"black hole", func(h *probetest.Host) { h.Path[0].Drop = true }, ttl(2), ""},
		{"prohibited", func(h *probetest.Host) { h.Path[1].Reject = probetest.Error{3, 13} }, echo(1), "unreachable 198.51.100.2 3/13 0 10ms"},
		{"TTL before prohibition", func(h *probetest.Host) { h.Path[1].Reject = probetest.Error{3, 13} }, ttl(2), "time_exceeded 198.51.100.2 11/0 0 10ms"},
		{"prohibited by the host", func(h *probetest.Host) { h.Reject = probetest.Error{3, 10} }, echo(1), "unreachable 203.0.113.9 3/10 0 20ms"},

		{"fits", func(h *probetest.Host) { h.Path[0].MTU = 1400 }, size(1400, icmpx.DFSystem), "echo_reply 203.0.113.9 0/0 0 20ms"},
		{"too big", func(h *probetest.Host) { h.Path[0].MTU = 1400 }, size(1401, icmpx.DFSystem), "too_big 198.51.100.1 3/4 1400 2ms"},
		{"fragmented", func(h *probetest.Host) { h.Path[0].MTU = 1400 }, size(1401, icmpx.DFClear), "echo_reply 203.0.113.9 0/0 0 20ms"},
		{"old router", func(h *probetest.Host) { h.Path[0].MTU, h.Path[0].Claim = 1400, -1 }, size(1401, icmpx.DFProbe), "too_big 198.51.100.1 3/4 0 2ms"},
		{"lying router", func(h *probetest.Host) { h.Path[0].MTU, h.Path[0].Claim = 1400, 1300 }, size(1401, icmpx.DFSet), "too_big 198.51.100.1 3/4 1300 2ms"},
		{"MTU black hole", func(h *probetest.Host) { h.Path[0].MTU, h.Path[0].NoTooBig = 1400, true }, size(1401, icmpx.DFSet), ""},

		{"closed port", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4, Port: 53, Size: 60}, "unreachable 203.0.113.9 3/3 0 20ms"},
		{"open port", func(h *probetest.Host) { h.OpenUDP = []uint16{53} }, icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4, Port: 53, Size: 60}, "udp_answer 203.0.113.9 0/0 0 20ms"},
		{"reset", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoTCPSYN, Dst: host4, Port: 80}, "tcp_closed 203.0.113.9 0/0 0 20ms"},
		{"accepted", func(h *probetest.Host) { h.OpenTCP = []uint16{80} }, icmpx.Request{Proto: icmpx.ProtoTCPSYN, Dst: host4, Port: 80}, "tcp_open 203.0.113.9 0/0 0 20ms"},
		{"timestamp", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoTimestamp, Dst: host4}, "timestamp_reply 203.0.113.9 14/0 0 20ms"},
		{"information", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoInformation, Dst: host4}, "information_reply 203.0.113.9 16/0 0 20ms"},
		{"mask", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoMask, Dst: host4}, "mask_reply 203.0.113.9 18/0 0 20ms"},
		{"extended echo", func(*probetest.Host) {}, icmpx.Request{Proto: icmpx.ProtoExtEcho, Dst: host4}, "ext_echo_reply 203.0.113.9 43/0 0 20ms"},
		{"nobody", func(h *probetest.Host) {}, icmpx.Request{Dst: other4}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := plain()
			tt.change(&h)
			run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
				var got string
				for _, a := range b.ask(tt.req) {
					got += fmt.Sprintf("%v %v %d/%d %d %v", a.Kind, a.From, a.Type, a.Code, a.MTU, a.after)
				}
				if got != tt.want {
					b.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestIPv6(t *testing.T) {
	o := probetest.Options{Hosts: []probetest.Host{{
		Addr: host6,
		Path: []probetest.Hop{{Addr: router6, RTT: ms, MTU: 1400}},
		Hop:  probetest.Hop{RTT: 5 * ms},
	}, {Addr: netip.MustParseAddr("fe80::1")}}}
	run(t, o, func(b *bench) {
		b.link = b.net.Link(icmpx.IPv6)
		r := icmpx.Request{Dst: host6, Size: 1500, DF: icmpx.DFClear, Key: icmpx.Key{Flow: 4002, Tag: 7}}
		a := b.ask(r)[0]
		if a.Kind != icmpx.KindTooBig || a.MTU != 1400 || a.Type != 2 || a.From != router6 || a.Quote.Len != 1232 || a.TOS != 0 {
			b.Errorf("too big: %+v", a)
		}
		r.Size = 1400
		if a := b.ask(r)[0]; a.Kind != icmpx.KindEchoReply || a.Type != 129 || a.Bytes != 1360 {
			b.Errorf("reply: %+v", a)
		}
		r.Dst = netip.MustParseAddr("fe80::1%eth0")
		if a := b.ask(r); len(a) != 1 {
			b.Errorf("%d answers from a link-local address", len(a))
		}
	})
}

func TestLocalMTU(t *testing.T) {
	o := with()
	o.MTU = 1000
	run(t, o, func(b *bench) {
		r := echo(1)
		r.Size, r.DF = 1001, icmpx.DFProbe
		b.send(r)
		all := b.hear(time.Second)
		b.wantKinds(all, "too_big")
		if a := all[0]; a.From.String() != "192.0.2.250" || a.MTU != 1000 || a.after != 0 {
			b.Errorf("local: %+v", a)
		}
		r.DF = icmpx.DFSystem
		b.wantKinds(b.ask(r), "echo_reply")
	})
}

func TestReturnMTU(t *testing.T) {
	h := plain()
	h.ReturnMTU = 1000
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		for size, want := range map[int]int{1000: 0, 1001: 1000} {
			r := echo(1)
			r.Size = size
			if a := b.ask(r)[0]; a.Frag != want {
				b.Errorf("answer to %d bytes came in fragments of %d, want %d", size, a.Frag, want)
			}
		}
	})
}

func TestNATAndMarking(t *testing.T) {
	h := plain()
	nat, mark := netip.MustParseAddr("198.51.100.77"), uint8(0x20)
	h.Path[0].NAT, h.Path[0].TOS = nat, &mark
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		r := icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4, TTL: 1, TOS: 0xb8, Size: 60, Key: icmpx.Key{Flow: 4001<<16 | 33434, Tag: 0x1111}}
		before := b.ask(r)[0].Quote
		r.TTL = 2
		behind := b.ask(r)[0]
		if before.TOS != 0xb8 || before.Src == nat || before.Checksum != 0x1111 || before.SrcPort != 4001 || before.DstPort != 33434 {
			b.Errorf("before the NAT: %+v", before)
		}
		if q := behind.Quote; q.TOS != 0x20 || q.Src != nat || q.Checksum == 0x1111 || behind.Key.Tag != 0x1111 {
			b.Errorf("behind the NAT: %+v", behind)
		}
	})
}

func TestQuoteLen(t *testing.T) {
	for n, want := range map[int]string{27: "false 0", 28: "true 0", 36: "true 8", 1000: "true 56"} {
		h := plain()
		h.Path[0].QuoteLen = n
		run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
			q := b.ask(ttl(1))[0].Quote
			if got := fmt.Sprint(q.HasL4, len(q.Payload)); got != want {
				b.Errorf("quote of %d bytes: %s, want %s", n, got, want)
			}
		})
	}
}

func TestPolicers(t *testing.T) {
	h := plain()
	h.Path[0].Answers = probetest.Policer{Burst: 6, Rate: 1}
	h2 := plain()
	h2.Addr = other4
	h2.Path[0].Answers = h.Path[0].Answers
	h.Forward = probetest.Policer{Burst: 3}
	run(t, probetest.Options{Hosts: []probetest.Host{h, h2}}, func(b *bench) {
		count := func(r icmpx.Request, n int) int {
			for range n {
				b.send(r)
			}
			return len(answers(b.hear(500 * ms)))
		}
		if got := count(ttl(1), 10); got != 6 {
			b.Errorf("%d answers of a burst, want 6", got)
		}
		other := ttl(1)
		other.Dst = other4
		if got := count(other, 1); got != 0 {
			b.Error("the router polices each path by itself")
		}
		time.Sleep(2 * time.Second)
		if got := count(other, 10); got != 3 {
			b.Errorf("%d answers after 3 s, want 3", got)
		}
		if got := count(echo(1), 10); got != 3 {
			b.Errorf("%d packets forwarded, want 3", got)
		}
	})
}

func TestBalancing(t *testing.T) {
	h := plain()
	alternatives := func(last byte) (hops []probetest.Hop) {
		for i := range byte(3) {
			hops = append(hops, probetest.Hop{Addr: netip.AddrFrom4([4]byte{198, 51, 100, last + i}), RTT: 3 * ms})
		}
		return hops
	}
	h.Path = append(alternatives(10)[:1], alternatives(20)[0], alternatives(30)[0])
	h.Path[0].Or, h.Path[1].Or, h.Path[2].Or = alternatives(11), alternatives(21), alternatives(31)
	h.Path[1].Salt = 1
	h.Path[2].PerPacket = true
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		via := func(path uint16, hop uint8) byte {
			r := icmpx.Request{Proto: icmpx.ProtoUDP, Dst: host4, Path: path, TTL: hop}
			return b.ask(r)[0].From.As4()[3]
		}
		first, pairs := map[byte]bool{}, map[[2]byte]bool{}
		for path := range uint16(200) {
			a := via(path, 1)
			if again := via(path, 1); again != a {
				b.Fatalf("flow %d changed from %d to %d", path, a, again)
			}
			first[a] = true
			pairs[[2]byte{a, via(path, 2)}] = true
		}
		if len(first) != 4 || len(pairs) != 16 {
			b.Errorf("%d hops in the first place, %d pairs; want 4, 16", len(first), len(pairs))
		}
		var turns []byte
		for range 5 {
			turns = append(turns, via(0, 3))
		}
		slices.Sort(turns)
		if turns = slices.Compact(turns); len(turns) != 4 {
			b.Errorf("%d hops by turns, want 4", len(turns))
		}
	})
}

// Hops with the same salt form parallel branches.
func TestParallelBranches(t *testing.T) {
	h := plain()
	for i := range h.Path {
		h.Path[i].Or = []probetest.Hop{{Addr: router3.Next(), RTT: ms}}
	}
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		for path := range uint16(50) {
			var alternative []bool
			for hop := range uint8(2) {
				r := icmpx.Request{Proto: icmpx.ProtoTCPSYN, Dst: host4, Path: path, TTL: hop + 1}
				alternative = append(alternative, b.ask(r)[0].From == router3.Next())
			}
			if alternative[0] != alternative[1] {
				b.Fatalf("flow %d crosses from one branch to the other", path)
			}
		}
	})
}

// Errors mean in each family what its numbers say.
func TestErrorKinds(t *testing.T) {
	tests := []struct {
		dst  netip.Addr
		e    probetest.Error
		want string
	}{
		{host4, probetest.Error{Type: 3, Code: 4}, "too_big"},
		{host4, probetest.Error{Type: 3, Code: 0}, "unreachable"},
		{host4, probetest.Error{Type: 11, Code: 1}, "time_exceeded"},
		{host4, probetest.Error{Type: 12}, "param_problem"},
		{host4, probetest.Error{Type: 99}, "unknown"},
		{host6, probetest.Error{Type: 1, Code: 4}, "unreachable"},
		{host6, probetest.Error{Type: 2}, "too_big"},
		{host6, probetest.Error{Type: 3}, "time_exceeded"},
		{host6, probetest.Error{Type: 4, Code: 1}, "param_problem"},
		{host6, probetest.Error{Type: 5}, "unknown"},
	}
	for _, tt := range tests {
		o := probetest.Options{
			Hosts:     []probetest.Host{{Addr: tt.dst}},
			Intercept: probetest.Sequence(probetest.Refuse(tt.e), probetest.SourceQuench()),
		}
		run(t, o, func(b *bench) {
			b.link = b.net.Link(icmpx.FamilyOf(tt.dst))
			as := b.ask(icmpx.Request{Dst: tt.dst})
			if tt.dst == host4 {
				b.wantKinds(as[:1], "source_quench")
				as = as[1:]
			}
			b.wantKinds(as, tt.want)
		})
	}
}

// Jitter, of a hop and of a rule, adds up to as much as it says, and not always
// the same.
func TestJitter(t *testing.T) {
	h := plain()
	h.Jitter = 5 * ms
	h.Rules = []probetest.Rule{always(probetest.Jitter(5 * ms))}
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := b.ask(echo(1))[0].after
			if d < 20*ms || d >= 30*ms {
				b.Errorf("answer after %v", d)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			b.Errorf("%d different times", len(seen))
		}
	})
}
