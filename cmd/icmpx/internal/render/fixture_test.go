package render

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/damage"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// The runs that the golden files show: every kind of event, by name.

var (
	t0 = time.Date(2024, 4, 5, 19, 35, 22, 123456789, time.UTC)

	host4 = Host{
		Name: "192.0.2.1", Addr: netip.MustParseAddr("192.0.2.1"), Source: netip.MustParseAddr("198.51.100.7"),
		Payload: 56, Socket: icmpx.ModeRaw,
	}
	host6 = Host{
		Name: "a.example", Addr: netip.MustParseAddr("2001:db8::1"), Source: netip.MustParseAddr("2001:db8:f::7"),
		Payload: 56, Socket: icmpx.ModeDatagram,
	}
	router4 = netip.MustParseAddr("203.0.113.254")
	router6 = netip.MustParseAddr("fe80::fe%eth0")
)

// An item is one event of a run, and what it shows.
type item struct {
	about string
	host  *Host
	event probe.PingEvent
}

func echo(h *Host, seq uint16, rtt time.Duration, change func(*probe.Result)) probe.PingEvent {
	r := &probe.Result{
		Fate: probe.Answered, RTT: rtt, Stamps: icmpx.StampKernel, Sent: t0,
		Reply: icmpx.Reply{
			Kind: icmpx.KindEchoReply, From: h.Addr, Dst: h.Addr, TTL: 63, Bytes: 64, At: t0.Add(rtt),
			Trust: icmpx.Verified, Key: icmpx.Key{Flow: 4711, Tag: uint32(seq)},
		},
	}
	if change != nil {
		change(r)
	}
	kind := probe.PingReply
	if r.Fate == probe.Rejected {
		kind = probe.PingRejected
	}
	return probe.PingEvent{Kind: kind, Dst: h.Addr, Seq: seq, Result: r}
}

func icmpError(h *Host, seq uint16, r icmpx.Reply) probe.PingEvent {
	r.At = t0.Add(time.Duration(seq) * time.Second)
	if !r.From.IsValid() {
		r.From = router4
		if h.Addr.Is6() {
			r.From = router6
		}
	}
	ev := probe.PingEvent{Kind: probe.PingError, Dst: h.Addr, Seq: seq, Result: &probe.Result{Fate: probe.Answered, Reply: r}}
	if r.Kind == icmpx.KindRedirect || r.Kind == icmpx.KindSourceQuench {
		ev.Kind, ev.Result.Fate = probe.PingNotice, probe.Notice
	}
	return ev
}

func failed(h *Host, seq uint16, err error) probe.PingEvent {
	return probe.PingEvent{Kind: probe.PingError, Dst: h.Addr, Seq: seq, Result: &probe.Result{Fate: probe.Failed, Err: err}}
}

func items() []item {
	damage := func(class probe.DamageClass, offset int, want, got int16) func(*probe.Result) {
		return func(r *probe.Result) {
			r.Damage = probe.Damage{Class: class, Offset: offset, Want: want, Got: got}
		}
	}
	options := func(b ...byte) func(*probe.Result) {
		return func(r *probe.Result) { r.Reply.Options = b }
	}
	group := host6
	group.Name, group.Addr, group.Group = "ff02::1%eth0", netip.MustParseAddr("ff02::1%eth0"), true
	return []item{
		{"reply", &host4, echo(&host4, 1, 43*time.Microsecond, nil)},
		{"reply, IPv6", &host6, echo(&host6, 1, 12345678*time.Nanosecond, nil)},
		{"reply without a TTL, user stamps", &host4, echo(&host4, 2, 1500*time.Microsecond, func(r *probe.Result) {
			r.Reply.TTL, r.Stamps = 0, icmpx.StampUser
		})},
		{"duplicate", &host4, echo(&host4, 2, 2*time.Millisecond, func(r *probe.Result) { r.Fate = probe.Extra })},
		{"late", &host4, echo(&host4, 3, 12*time.Second, func(r *probe.Result) { r.Fate, r.Late = probe.Extra, true })},
		{"corrupt: flipped", &host4, echo(&host4, 4, time.Millisecond, damage(probe.Flipped, 17, 0x11, 0x13))},
		{"corrupt: truncated", &host4, echo(&host4, 4, time.Millisecond, damage(probe.Truncated, 40, 0x28, -1))},
		{"corrupt: padded", &host4, echo(&host4, 4, time.Millisecond, damage(probe.Padded, 56, -1, 0))},
		{"forged", &host4, echo(&host4, 5, time.Millisecond, func(r *probe.Result) {
			r.Fate, r.Reply.Trust = probe.Rejected, icmpx.Forged
		})},
		{"stale", &host4, echo(&host4, 5, time.Millisecond, func(r *probe.Result) { r.Fate, r.Stale = probe.Rejected, true })},
		{"other address", &host4, echo(&host4, 5, time.Millisecond, func(r *probe.Result) {
			r.Fate, r.Alias, r.Reply.From = probe.Rejected, true, router4
		})},
		{"multicast, the second to answer", &group, echo(&group, 5, time.Millisecond, func(r *probe.Result) {
			r.Fate, r.Alias, r.Probe.AnySource, r.Reply.From = probe.Extra, true, true, router6
		})},
		{"multicast", &host6, echo(&host6, 5, time.Millisecond, func(r *probe.Result) {
			r.Alias, r.Probe.AnySource, r.Reply.From = true, true, router6
		})},
		{"record route", &host4, echo(&host4, 5, time.Millisecond, options(0x01, 0x07, 39, 16,
			192, 0, 2, 1, 203, 0, 113, 254, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))},
		{"record route again", &host4, echo(&host4, 6, time.Millisecond, options(0x01, 0x07, 39, 16,
			192, 0, 2, 1, 203, 0, 113, 254, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))},
		{"timestamps", &host4, echo(&host4, 7, time.Millisecond, options(68, 20, 21, 0x30,
			0, 0, 4, 0, 0, 0, 4, 2, 0x80, 0, 0, 9, 0x80, 0, 0, 8))},
		{"timestamps and addresses", &host4, echo(&host4, 8, time.Millisecond, options(68, 20, 13, 1,
			203, 0, 113, 254, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0))},
		{"empty record route", &host4, echo(&host4, 8, time.Millisecond, options(7, 7, 4, 0, 0, 0, 0, 0))},
		{"other option", &host4, echo(&host4, 8, time.Millisecond, options(0x94, 4, 0, 0))},
		{"hostile options", &host4, echo(&host4, 9, time.Millisecond, options(7, 200, 4, 0))},
		{"hostile record route", &host4, echo(&host4, 9, time.Millisecond, options(7, 4, 3, 0))},
		{"hostile timestamps", &host4, echo(&host4, 9, time.Millisecond, options(68, 8, 5, 2, 0, 0, 0, 0))},
		{"time exceeded", &host4, icmpError(&host4, 6, icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 11})},
		{"time exceeded, IPv6", &host6, icmpError(&host6, 6, icmpx.Reply{Kind: icmpx.KindTimeExceeded, Type: 3})},
		{"host unreachable", &host4, icmpError(&host4, 7, icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 3, Code: 1})},
		{"filtered", &host4, icmpError(&host4, 7, icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 3, Code: 13})},
		{"unassigned code", &host4, icmpError(&host4, 7, icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 3, Code: 99})},
		{"prohibited, IPv6", &host6, icmpError(&host6, 7, icmpx.Reply{Kind: icmpx.KindUnreachable, Type: 1, Code: 1})},
		{"fragmentation needed", &host4, icmpError(&host4, 8, icmpx.Reply{Kind: icmpx.KindTooBig, Type: 3, Code: 4, MTU: 1400})},
		{"too big, IPv6", &host6, icmpError(&host6, 8, icmpx.Reply{Kind: icmpx.KindTooBig, Type: 2, MTU: 1280})},
		{"too big for this host", &host4, icmpError(&host4, 9, icmpx.Reply{Kind: icmpx.KindTooBig, Type: 3, Code: 4, MTU: 1400, From: host4.Source})},
		{"too big for this host, IPv6", &host6, icmpError(&host6, 9, icmpx.Reply{Kind: icmpx.KindTooBig, Type: 2, MTU: 1280, From: host6.Source})},
		{"too big for this host, no MTU", &host4, icmpError(&host4, 9, icmpx.Reply{Kind: icmpx.KindTooBig, Type: 3, Code: 4, From: host4.Source})},
		{"parameter problem", &host4, icmpError(&host4, 10, icmpx.Reply{Kind: icmpx.KindParamProblem, Type: 12, Pointer: 20})},
		{"parameter problem, IPv6", &host6, icmpError(&host6, 10, icmpx.Reply{Kind: icmpx.KindParamProblem, Type: 4, Pointer: 40})},
		{"redirect", &host4, icmpError(&host4, 11, icmpx.Reply{Kind: icmpx.KindRedirect, Type: 5, Code: 1, Gateway: netip.MustParseAddr("203.0.113.253")})},
		{"source quench", &host4, icmpError(&host4, 11, icmpx.Reply{Kind: icmpx.KindSourceQuench, Type: 4})},
		{"rate", &host4, probe.PingEvent{Kind: probe.PingRate, Dst: host4.Addr, Rate: 1.0 / 3, Why: "source quench"}},
		{"not permitted", &host4, failed(&host4, 12, os.NewSyscallError("sendmsg", syscall.EPERM))},
		{"unreachable network", &host6, failed(&host6, 12, os.NewSyscallError("sendmsg", syscall.ENETUNREACH))},
		{"errno without a name", &host4, failed(&host4, 12, syscall.Errno(4095))},
		{"failure that is not the kernel's", &host4, failed(&host4, 12, errors.New("payload \x1b[31mtoo strange"))},
		{"waiting", &host4, probe.PingEvent{Kind: probe.PingWaiting, Dst: host4.Addr, Seq: 13}},
		{"lost", &host4, probe.PingEvent{Kind: probe.PingLost, Dst: host4.Addr, Seq: 14, Result: &probe.Result{Fate: probe.Lost, Sent: t0}}},
		{"lost, never sent", &host4, probe.PingEvent{Kind: probe.PingLost, Dst: host4.Addr, Seq: 15, Result: &probe.Result{Fate: probe.Lost, NoWire: true}}},
	}
}

// A run is one account, and what it shows.
type account struct {
	about string
	stats Account
}

func accounts() []account {
	ms := time.Millisecond
	rtt := probe.Summary{
		N: 3, Min: 43 * time.Microsecond, Avg: 1234567, Max: 2 * ms, Mdev: 800499,
		P50: ms, P90: 2 * ms, P95: 2 * ms, P99: 2 * ms, EWMA: 1100 * time.Microsecond, Jitter: 12345,
	}
	sum, other := probe.Digest{0: 0x12, 31: 0xef}, probe.Digest{0: 0x13}
	var damaged damage.Map
	damaged.Add([]byte("sent"), []byte("send"), probe.Damage{Class: probe.Flipped, Offset: 3, Want: 't', Got: 'd'})
	return []account{
		{"nothing sent", Account{}},
		{"all answered", Account{Stats: probe.Stats{Sent: 3, Received: 3, Duration: 2003 * ms, Pipe: 1, RTT: rtt, Stamps: icmpx.StampKernel}}},
		{"one answered", Account{Stats: probe.Stats{Sent: 1, Received: 1, Duration: 499 * time.Microsecond, Pipe: 1, Stamps: icmpx.StampUser, RTT: probe.Summary{
			N: 1, Min: ms, Avg: ms, Max: ms, P50: ms, P90: ms, P95: ms, P99: ms, EWMA: ms}}}},
		{"a third lost", Account{Stats: probe.Stats{Sent: 3, Received: 2, Lost: 1, Duration: 12003 * ms, Pipe: 3, RTT: rtt, Stamps: icmpx.StampKernel, LongestLoss: 1}}},
		{"none answered", Account{Stats: probe.Stats{Sent: 4, Lost: 3, Errors: 1, Duration: 13 * time.Second, Pipe: 4, LongestLoss: 4}}},
		{"everything", Account{Stats: probe.Stats{
			Sent: 100, Received: 80, Corrupted: 2, Errors: 5, Lost: 12, InFlight: 1,
			Duplicates: 3, Late: 4, Forged: 6, Stale: 7, Strays: 8, OwnDrops: 9, Local: 5,
			Duration: 99 * time.Second, Pipe: 11, RTT: rtt, Stamps: icmpx.StampUser, LongestLoss: 10,
		}}},
		{"a whole payload", Account{
			Stats:   probe.Stats{Sent: 3, Received: 3, Duration: 2003 * ms, Pipe: 1, RTT: rtt, Stamps: icmpx.StampKernel},
			Payload: &Payload{File: "a\x1b.bin", Bytes: 300, Returned: 300, Sum: sum, SumReturned: &sum, Identical: true},
		}},
		{"a payload in chunks", Account{
			Stats: probe.Stats{Sent: 9, Received: 2, Lost: 6, Corrupted: 1, Duration: 2003 * ms, Pipe: 2, RTT: rtt, Stamps: icmpx.StampKernel},
			Payload: &Payload{
				File: "-", Bytes: 5000, Returned: 1472, Sum: sum, SumReturned: &other,
				Chunk: 1472, Chunks: 4, Done: 1, Resent: 6,
			},
			Damage: damaged,
		}},
		{"a payload that did not come back", Account{
			Stats:   probe.Stats{Sent: 1, Lost: 1},
			Payload: &Payload{File: "x", Bytes: 1, Sum: sum},
		}},
	}
}
