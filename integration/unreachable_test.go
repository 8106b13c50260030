//go:build linux

package integration

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	wire "github.com/icmpx/icmpx/icmpx"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// An unreachable is an error that a router answers with.
type unreachable struct {
	name      string
	dst       string // name of the destination
	reject    bool   // by a filter at r3, with the code; else by a route, or the lack of one
	from      string
	typ, code int
	v6        bool
}

// unreachables are the errors of each kind that the kernel sends of its own or
// can be made to send.
func unreachables() []unreachable {
	all := []unreachable{
		{name: "unreachable route", dst: "unreachable", from: "r3", typ: 3, code: 1},
		{name: "prohibit route", dst: "prohibited", from: "r3", typ: 3, code: 13},
		{name: "no route", dst: "noroute", from: "r5", typ: 3, code: 0},
		{name: "unreachable route", dst: "unreachable", from: "r3", typ: 1, code: 0, v6: true},
		{name: "prohibit route", dst: "prohibited", from: "r3", typ: 1, code: 1, v6: true},
		{name: "no route", dst: "noroute", from: "r5", typ: 1, code: 0, v6: true},
	}
	for _, code := range []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		all = append(all, unreachable{name: "reject", dst: "server", reject: true, from: "r3", typ: 3, code: code})
	}
	for code := range 7 {
		all = append(all, unreachable{name: "reject", dst: "server", reject: true, from: "r3", typ: 1, code: code, v6: true})
	}
	return all
}

func TestPingUnreachable(t *testing.T) {
	for _, u := range unreachables() {
		for _, as := range users {
			name := fmt.Sprintf("%s/%d-%d/v6=%v/%s", u.name, u.typ, u.code, u.v6, as.name)
			t.Run(name, func(t *testing.T) {
				n := labtest.Build(t, "chain")
				labtest.OK(t, n.Client.AllowPing())
				u.prepare(t, n)
				dst, from := n.Addr(u.dst, u.v6).String(), n.Addr(u.from, u.v6)
				d := ping(t, n.Client, as.user, "-c1", "--json", dst)
				all := d.events(t)
				s := summary(t, all)
				if d.code != 1 || s.Sent != 1 || s.Errors != 1 {
					t.Errorf("got exit code %d and summary %+v, want 1 and an error", d.code, s)
				}
				want := event{From: from.String(), Kind: "unreachable", Type: u.typ, Code: u.code}
				wantError(t, all, want)
				u.checkText(t, from, ping(t, n.Client, as.user, "-c1", dst))
			})
		}
	}
}

func (u *unreachable) prepare(t *testing.T, n *lab.Network) {
	t.Helper()
	if !u.reject {
		return
	}
	labtest.OK(t, n.At(u.from).Filter(lab.Rule{
		Hook: lab.Forward, Dst: only(n.Addr(u.dst, u.v6)), Verdict: lab.Reject, Code: uint8(u.code),
	}))
}

// checkText sees a line with the router's address and the error's name.
func (u *unreachable) checkText(t *testing.T, from netip.Addr, d done) {
	t.Helper()
	name := wire.CodeName(wire.FamilyOf(from), uint8(u.typ), uint8(u.code))
	for line := range strings.Lines(d.stdout) {
		if strings.HasPrefix(line, "From "+from.String()) && strings.Contains(line, "icmp_seq=1 ") && strings.Contains(line, name) {
			return
		}
	}
	t.Errorf("got no line From %v icmp_seq=1 with %q", from, name)
}

// wantError sees one error event with the fields of want that name it.
func wantError(t *testing.T, all []event, want event) {
	t.Helper()
	errs := of(all, "error")
	if len(errs) != 1 {
		t.Fatalf("got errors %+v, want one", errs)
	}
	got := event{From: errs[0].From, Kind: errs[0].Kind, Type: errs[0].Type, Code: errs[0].Code}
	if got.From != want.From || got.Kind != want.Kind || got.Type != want.Type || got.Code != want.Code {
		t.Errorf("got error %+v, want %+v", errs[0], want)
	}
	if errs[0].Seq != 1 || errs[0].Name == "" {
		t.Errorf("got error %+v, want seq 1 and a name", errs[0])
	}
}

// TestPingNobodyThere pings an address on a network where nobody has it: the
// last router, or this host itself, asks for it in vain for three seconds.
func TestPingNobodyThere(t *testing.T) {
	for _, tt := range []struct {
		topology, from string
		v6             bool
		typ, code      int
	}{
		{"chain", "r5", false, 3, 1},
		{"chain", "r5", true, 1, 3},
		{"pair", "client", false, 3, 1},
		{"pair", "client", true, 1, 3},
	} {
		t.Run(fmt.Sprintf("%s/v6=%v", tt.topology, tt.v6), func(t *testing.T) {
			t.Parallel()
			n := labtest.Build(t, tt.topology)
			d := ping(t, n.Client, lab.Root, "-c1", "-W20", "--json", n.Addr("absent", tt.v6).String())
			if d.code != 1 {
				t.Errorf("got exit code %d, want 1", d.code)
			}
			wantError(t, d.events(t), event{
				From: n.Addr(tt.from, tt.v6).String(), Kind: "unreachable", Type: tt.typ, Code: tt.code,
			})
		})
	}
}

func TestPingTimeExceeded(t *testing.T) {
	for _, as := range users {
		t.Run(as.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				n := labtest.Build(t, "chain")
				labtest.OK(t, n.Client.AllowPing())
				server := n.Addr("server", v6).String()
				u := unreachable{typ: 11, v6: v6}
				if v6 {
					u.typ = 3
				}
				for ttl := 1; ttl <= 5; ttl++ {
					from := n.Addr(fmt.Sprintf("r%d", ttl), v6)
					hops := fmt.Sprintf("-t%d", ttl)
					d := ping(t, n.Client, as.user, "-c1", hops, "--json", server)
					if d.code != 1 {
						t.Errorf("TTL %d: got exit code %d, want 1", ttl, d.code)
					}
					wantError(t, d.events(t), event{From: from.String(), Kind: "time_exceeded", Type: u.typ})
					u.checkText(t, from, ping(t, n.Client, as.user, "-c1", hops, server))
				}
				if d := ping(t, n.Client, as.user, "-c1", "-t6", server); d.code != 0 {
					t.Errorf("TTL 6: got exit code %d, want 0", d.code)
				}
			})
		})
	}
}

// only is the prefix of one address.
func only(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
