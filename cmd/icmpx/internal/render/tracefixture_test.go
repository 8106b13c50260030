package render

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// The traces that the golden files show: every mark, every kind of answer, and
// every kind of finding.

const usec = time.Microsecond

var (
	traceHost4 = TraceHost{
		Name: "a.example", Addr: netip.MustParseAddr("203.0.113.9"), Method: trace.UDP, Port: 33434,
		MaxTTL: 64, Size: 60, Socket: icmpx.ModeRaw,
	}
	traceHost6 = TraceHost{
		Name: "b\x1b[2J.example", Addr: netip.MustParseAddr("2001:db8:9::9"), Method: trace.TCP, Port: 443,
		MaxTTL: 30, Socket: icmpx.ModeDatagram,
	}
)

// traceNames are reverse names, one of them hostile.
func traceNames(a netip.Addr) string {
	return map[string]string{
		"10.0.1.1":    "r1.example",
		"10.0.2.1":    "r\x1b]0;\"owned\"\a.example",
		"203.0.113.9": "a.example",
	}[a.String()]
}

func traceSystems(a netip.Addr) string {
	return map[string]string{"10.0.1.1": "AS64500", "203.0.113.9": "AS64501/AS64502"}[a.String()]
}

// hopOf is the answer of a router.
func hopOf(from string, rtt time.Duration, change func(*trace.Probe)) trace.Probe {
	p := trace.Probe{
		State: trace.Answered, Asked: 1, Size: 60, From: netip.MustParseAddr(from), RTT: rtt, Stamps: icmpx.StampKernel,
		Kind: icmpx.KindTimeExceeded, Type: 11, ReplyTTL: 62, Back: 3,
	}
	if p.From.Is6() {
		p.Type = 3
	}
	if change != nil {
		change(&p)
	}
	return p
}

// refusal is the answer of somebody who passes nothing on.
func refusal(from string, typ, code uint8) trace.Probe {
	return hopOf(from, 2*time.Millisecond, func(p *trace.Probe) { p.Kind, p.Type, p.Code = icmpx.KindUnreachable, typ, code })
}

func silence(s trace.State) trace.Probe { return trace.Probe{State: s, Asked: 2} }

// traceRow is a row whose probes were sent with its TTL.
func traceRow(ttl int, probes ...trace.Probe) trace.Row {
	for i := range probes {
		if probes[i].TTL == 0 {
			probes[i].TTL = ttl
		}
	}
	return trace.Row{TTL: ttl, Probes: probes}
}

func rowWith(r trace.Row, change func(*trace.Row)) trace.Row {
	change(&r)
	return r
}

func darkRow(ttl int) trace.Row {
	return rowWith(traceRow(ttl, silence(trace.Lost), silence(trace.Lost), silence(trace.Lost)), func(r *trace.Row) { r.Dark = true })
}

// talkative adds all extension objects that there are.
func talkative(p *trace.Probe) {
	p.Extensions = []icmp.Extension{
		&icmp.MPLSLabelStack{Class: 1, Type: 1, Labels: []icmp.MPLSLabel{{Label: 16001, TC: 3, TTL: 1}, {Label: 16, S: true, TTL: 254}}},
		&icmp.InterfaceInfo{
			Class: 2, Type: 0x0f, Interface: &net.Interface{Index: 7, Name: "eth\x1b\"0", MTU: 1500},
			Addr: &net.IPAddr{IP: net.IPv4(192, 0, 2, 7).To4()},
		},
		&icmp.InterfaceInfo{Class: 2, Type: 0xc4, Addr: &net.IPAddr{IP: net.ParseIP("2001:db8::7")}},
		&icmp.InterfaceInfo{Class: 2, Type: 0x80},
		&icmp.InterfaceIdent{Class: 3, Type: 1, Name: "ge-0/0/1"},
		&icmp.InterfaceIdent{Class: 3, Type: 2, Index: 9},
		&icmp.InterfaceIdent{Class: 3, Type: 3, AFI: 1, Addr: []byte{192, 0, 2, 9}},
		&icmp.InterfaceIdent{Class: 3, Type: 3, AFI: 16389, Addr: []byte{0xde, 0xad}},
		&icmp.RawExtension{Data: []byte{0, 10, 5, 4, 1, 2, 3, 4, 5, 6}},
		&icmp.RawExtension{Data: []byte{0}},
	}
}

// quoted adds how a probe looked where it was refused.
func quoted(proto uint8, changed trace.Change) func(*trace.Probe) {
	return func(p *trace.Probe) {
		p.Changes = changed
		p.Quote = icmpx.Quote{
			Family: icmpx.IPv4, Src: netip.MustParseAddr("192.0.2.7"), Dst: traceHost4.Addr, Proto: proto, TTL: 1, TOS: 0xb8,
			TotalLen: 60, Len: 60, HasL4: true, SrcPort: 40001, DstPort: 33434, L4Len: 40, Checksum: 7,
			Seq: 99, Type: 8, ICMPID: 4711, ICMPSeq: 5,
		}
	}
}

// traceRows are all that rows can show.
func traceRows() []trace.Row {
	rows := []trace.Row{
		traceRow(1, hopOf("10.0.1.1", 33137*usec, nil), hopOf("10.0.1.1", 110654*usec, nil), hopOf("10.0.1.1", 52307*usec+499, nil)),
		traceRow(2, hopOf("10.0.2.1", 0, talkative), hopOf("10.0.2.2", 500, talkative), silence(trace.Lost)),
		traceRow(3, silence(trace.Lost), silence(trace.Lost), silence(trace.Lost)),
		rowWith(traceRow(4, hopOf("10.0.4.1", time.Second, quoted(17, trace.ChangedSource|trace.ChangedChecksum)), silence(trace.Limited), silence(trace.Limited)),
			func(r *trace.Row) { r.Limited = true }),
		rowWith(traceRow(5, silence(trace.Lost), hopOf("10.0.5.1", 5*time.Millisecond, quoted(6, 0)), hopOf("10.0.5.1", 5*time.Millisecond, quoted(1, 0))),
			func(r *trace.Row) { r.MTU, r.Extra = 1400, 2 }),
		traceRow(6, trace.Probe{State: trace.Failed, Err: os.NewSyscallError("sendmsg", syscall.EPERM)}, trace.Probe{State: trace.Failed, Err: errors.New("odd")}, silence(trace.Open)),
		traceRow(7, hopOf("10.0.7.1", 7*time.Millisecond, func(p *trace.Probe) { p.Code = 1 }), // reassembly time exceeded
			hopOf("10.0.7.1", 7*time.Millisecond, func(p *trace.Probe) { p.Kind, p.Type, p.Code, p.MTU = icmpx.KindTooBig, 3, 4, 1400 }),
			hopOf("10.0.7.1", 7*time.Millisecond, func(p *trace.Probe) { p.Kind, p.Type, p.Code = icmpx.KindParamProblem, 12, 0 })),
		rowWith(traceRow(8, refusal("203.0.113.9", 3, 3), hopOf("203.0.113.9", 8*time.Millisecond, func(p *trace.Probe) { p.Kind, p.Type, p.TTL = icmpx.KindEchoReply, 0, 11 }),
			hopOf("203.0.113.9", 8*time.Millisecond, func(p *trace.Probe) { p.Kind, p.ReplyTTL, p.Back = icmpx.KindTCPOpen, 0, 0 })),
			func(r *trace.Row) { r.End = true }),
	}
	return rows
}

// markRows show every code of destination unreachable.
func markRows() []trace.Row {
	var rows []trace.Row
	for code := range uint8(17) {
		rows = append(rows, traceRow(100+int(code), refusal("10.0.0.1", 3, code), refusal("2001:db8::1", 1, code)))
	}
	return rows
}

// traceResults are ends of traces, by name.
func traceResults() []struct {
	about string
	host  *TraceHost
	rows  []trace.Row
	res   trace.Result
	notes []string
} {
	fact := func(name string, v any) trace.Fact { return trace.Fact{Name: name, Value: v} }
	return []struct {
		about string
		host  *TraceHost
		rows  []trace.Row
		res   trace.Result
		notes []string
	}{
		{"nothing odd", &traceHost4, traceRows()[:1], trace.Result{Reached: true, Hops: 1, Sent: 96, Duration: 101 * time.Millisecond, Port: 33434, PortState: trace.PortClosed}, nil},
		{"one dark row", &traceHost4, []trace.Row{darkRow(9)}, trace.Result{Sent: 1}, nil},
		{"many dark rows", &traceHost4, []trace.Row{darkRow(9), darkRow(10), darkRow(11)}, trace.Result{Method: trace.ICMP}, nil},
		{"dark, and then not", &traceHost4, []trace.Row{darkRow(9), darkRow(10), traceRow(11, hopOf("10.0.1.1", time.Millisecond, nil))}, trace.Result{}, nil},
		{"port open", &traceHost6, nil, trace.Result{Method: trace.TCP, Port: 443, PortState: trace.PortOpen, Reached: true, Sent: 3}, []string{"a \x1bnote"}},
		{"port filtered", &traceHost6, nil, trace.Result{Method: trace.UDPFixed, Port: 53, PortState: trace.PortFiltered, Interrupted: true}, nil},
		{"findings", &traceHost4, nil, trace.Result{
			Hops: 16, Sent: 147, Strays: 1, Forged: 2, Notices: 3,
			Questions: []trace.Question{
				{Method: trace.ICMP, Reached: true, Probe: hopOf("203.0.113.9", time.Millisecond, func(p *trace.Probe) { p.Kind = icmpx.KindEchoReply })},
				{Method: trace.TCP, Port: 443, Probe: silence(trace.Lost)},
			},
			Findings: []trace.Finding{
				{Code: trace.CodeLimited, Severity: trace.Info, Hop: 3, Text: "hop 3 answered 6 of 10 probes: a limit on answers, not loss",
					Evidence: []trace.Fact{fact("hops", []int{3}), fact("sent", 10), fact("fast", true)}},
				{Code: trace.CodeOtherMethod, Severity: trace.Warning, Text: "silent\x1b to udp", Evidence: []trace.Fact{
					fact("rtt", 5*time.Millisecond), fact("kind", "echo\"_reply"), fact("from", traceHost4.Addr),
					fact("routers", []netip.Addr{router4, router6}), fact("odd", 1.5), fact("none", []int(nil)),
				}},
				{Code: trace.CodeLoop, Severity: trace.Fault, Hop: 9, Text: "a loop"},
			},
		}, nil},
	}
}
