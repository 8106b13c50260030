//go:build linux

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	lib "github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// sockets runs a test for both kinds of sockets.
func sockets(t *testing.T, f func(t *testing.T, mode lib.Mode)) {
	t.Helper()
	for _, mode := range []lib.Mode{lib.ModeRaw, lib.ModeDatagram} {
		t.Run(mode.String(), func(t *testing.T) { f(t, mode) })
	}
}

func family(v6 bool) lib.Family {
	if v6 {
		return lib.IPv6
	}
	return lib.IPv4
}

// openLink opens a link on a host.
func openLink(t *testing.T, h *lab.Host, cfg lib.ICMPConfig) (l *lib.ICMPLink) {
	t.Helper()
	labtest.OK(t, h.Do(func() (err error) {
		l, err = lib.ListenICMP(cfg)
		return err
	}))
	t.Cleanup(func() { l.Close() })
	return l
}

// request is an echo request as ping sends it.
func request(l *lib.ICMPLink, dst netip.Addr, tag uint32) lib.Request {
	return lib.Request{
		Dst: dst, TOS: -1, Key: lib.Key{Flow: uint32(l.ID()), Tag: tag},
		Size: l.Family().HeaderLen() + 8 + 56,
	}
}

func sendRequest(t *testing.T, l *lib.ICMPLink, r lib.Request) {
	t.Helper()
	_, err := l.Send([]lib.Request{r})
	labtest.OK(t, err)
}

// answers receives until done says so, and returns all but transmit times.
func answers(t *testing.T, l *lib.ICMPLink, done func(lib.Reply) bool) (got []lib.Reply) {
	t.Helper()
	labtest.OK(t, l.SetRecvDeadline(time.Now().Add(patience)))
	rs := make([]lib.Reply, 1)
	for {
		_, err := l.Recv(rs)
		if err != nil {
			t.Fatalf("%v after %+v", err, got)
		}
		r := rs[0]
		if r.Kind == lib.KindSent {
			continue
		}
		r.Options = bytes.Clone(r.Options)
		if got = append(got, r); done(r) {
			return got
		}
	}
}

// ask sends one request and returns its answer.
func ask(t *testing.T, l *lib.ICMPLink, r lib.Request) lib.Reply {
	t.Helper()
	sendRequest(t, l, r)
	return answers(t, l, func(lib.Reply) bool { return true })[0]
}

// option returns the option of a type.
func option(t *testing.T, b []byte, typ uint8) lib.IPv4Option {
	t.Helper()
	opts, err := lib.ParseIPv4Options(b)
	labtest.OK(t, err)
	i := slices.IndexFunc(opts, func(o lib.IPv4Option) bool { return o.Type == typ })
	if i < 0 {
		t.Fatalf("no option %d in % x", typ, b)
	}
	return opts[i]
}

// TestRecordRoute has five routers, the server, and on the way back the last
// router write the addresses that they send from; and a router that says that
// the TTL has exceeded return what was written until then.
func TestRecordRoute(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		n := labtest.Build(t, "chain")
		labtest.OK(t, n.Client.AllowPing())
		l := openLink(t, n.Client, lib.ICMPConfig{Family: lib.IPv4, Mode: mode, Options: lib.RecordRoute()})
		for _, tt := range []struct {
			ttl  uint8
			kind lib.Kind
			want string
			free int
		}{
			{64, lib.KindEchoReply, "[192.0.2.10 198.51.100.10 198.51.100.20 198.51.100.30 198.51.100.40 203.0.113.1 203.0.113.10 203.0.113.10 198.51.100.41]", 0},
			{2, lib.KindTimeExceeded, "[192.0.2.10 198.51.100.10 198.51.100.11 198.51.100.11 192.0.2.1 192.0.2.10]", 3},
		} {
			r := request(l, n.Addr("server", false), 1)
			r.TTL = tt.ttl
			got := ask(t, l, r)
			route, err := option(t, got.Options, 7).Route()
			if got.Kind != tt.kind || err != nil || fmt.Sprint(route.Addrs) != tt.want || len(route.Next) != tt.free {
				t.Errorf("TTL %d: got %v with %v, %v, want %v with %s", tt.ttl, got.Kind, route, err, tt.kind, tt.want)
			}
		}
	})
}

func TestTimestampOption(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		n := labtest.Build(t, "chain")
		labtest.OK(t, n.Client.AllowPing())
		for _, tt := range []struct {
			flag     lib.TimestampFlag
			hosts    []netip.Addr
			want     []string // who writes
			overflow uint8
			next     []netip.Addr
		}{
			{lib.TimestampOnly, nil, slices.Repeat([]string{"invalid IP"}, 9), 5, nil},
			{lib.TimestampAddress, nil, []string{"192.0.2.10", "192.0.2.1", "198.51.100.11", "198.51.100.21"}, 9, nil},
			{lib.TimestampPrespecified, []netip.Addr{n.Addr("r2", false), n.Addr("r4", false)},
				[]string{"198.51.100.11", "198.51.100.31"}, 0, nil},
			{lib.TimestampPrespecified, []netip.Addr{n.Addr("r3", false), n.Addr("absent", false), n.Addr("r4", false)},
				[]string{"198.51.100.21"}, 0, []netip.Addr{n.Addr("absent", false), n.Addr("r4", false)}},
		} {
			opt, err := lib.TimestampOption(tt.flag, tt.hosts...)
			labtest.OK(t, err)
			l := openLink(t, n.Client, lib.ICMPConfig{Family: lib.IPv4, Mode: mode, Options: opt})
			before := time.Now()
			got := ask(t, l, request(l, n.Addr("server", false), 1))
			after := time.Now()
			rec, err := option(t, got.Options, 68).Timestamps()
			var who []string
			for _, e := range rec.Entries {
				who = append(who, e.Addr.String())
				if e.NonStandard || !between(e.Time, before, after) {
					t.Errorf("%v: got time %+v, want one from %v to %v", tt.flag, e, before, after)
				}
			}
			if err != nil || rec.Flag != tt.flag || rec.Overflow != tt.overflow ||
				!slices.Equal(who, tt.want) || !slices.Equal(rec.Next, tt.next) {
				t.Errorf("%v %v: got %+v, %v, want %v", tt.flag, tt.hosts, rec, err, tt.want)
			}
		}
	})
}

// between reports whether a time of day in milliseconds lies between two times.
func between(ms uint32, before, after time.Time) bool {
	const day = 24 * 60 * 60 * 1000
	since := (int64(ms) - before.UnixMilli()%day + day) % day
	return since <= after.UnixMilli()-before.UnixMilli()
}

// TestDontRoute asks what is on the link, and what is behind a router.
func TestDontRoute(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			n := labtest.Build(t, "chain")
			labtest.OK(t, n.Client.AllowPing())
			l := openLink(t, n.Client, lib.ICMPConfig{Family: family(v6), Mode: mode, DontRoute: true})
			if r := ask(t, l, request(l, n.Addr("r1", v6), 1)); r.Kind != lib.KindEchoReply {
				t.Errorf("got %+v of a neighbour", r)
			}
			_, err := l.Send([]lib.Request{request(l, n.Addr("server", v6), 1)})
			if v6 && err != nil || !v6 && !errors.Is(err, unix.ENETUNREACH) {
				t.Errorf("got %v from behind a router, want ENETUNREACH in IPv4", err)
			}
		})
	})
}

// TestConnectedPath has routers answer a socket that hears its peer alone.
func TestConnectedPath(t *testing.T) {
	sockets(t, func(t *testing.T, mode lib.Mode) {
		both(t, func(t *testing.T, v6 bool) {
			n := labtest.Build(t, "chain")
			labtest.OK(t, n.Client.AllowPing())
			server := n.Addr("server", v6)
			l := openLink(t, n.Client, lib.ICMPConfig{Family: family(v6), Mode: mode, Connect: server})
			for i, hop := range []string{"r1", "r2", "r3", "r4", "r5", "server"} {
				r := request(l, server, uint32(1+i))
				r.TTL = uint8(1 + i)
				got, want := ask(t, l, r), lib.KindTimeExceeded
				if hop == "server" {
					want = lib.KindEchoReply
				}
				if got.Kind != want || got.From != n.Addr(hop, v6) || got.Key != r.Key || got.Dst != server {
					t.Errorf("TTL %d: got %+v, want %v from %s", 1+i, got, want, hop)
				}
			}
		})
	})
}
