package fingerprint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/internal/packet"
)

// ether returns the start of an Ethernet frame.
func ether(to, from byte) []byte {
	return []byte{2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0}
}

// redirectTo returns a redirect of a packet from client to server.
func redirectTo(gateway netip.Addr, quote string) []byte {
	g := gateway.As4()
	return append([]byte{5, 1, 0, 0, g[0], g[1], g[2], g[3]}, quote...)
}

func advertisement(lifetime byte) []byte {
	return []byte{134, 0, 0, 0, 64, 0, 0, lifetime, 0, 0, 0, 0, 0, 0, 0, 0}
}

// findingTests say what is found of packets, and of others that are like them
// and fine.
var findingTests = []struct {
	name string
	send func(*world)
	want []string // codes of the report, the worst first
}{
	{"flood", func(w *world) { echoes(w, 1000, time.Millisecond/2) }, []string{"flood"}},
	{"no flood", func(w *world) { echoes(w, 3000, 2*time.Millisecond) }, nil},
	{"sweep", func(w *world) { asks(w, 16, time.Second) }, []string{"sweep"}},
	{"few hosts", func(w *world) { asks(w, 15, time.Second) }, nil},
	{"slow", func(w *world) { asks(w, 40, 10*time.Second) }, nil},
	{"tunnel", func(w *world) { tunnels(w, false) }, []string{"tunnel"}},
	{"random data that come back", func(w *world) { tunnels(w, true) }, nil},
	{"datagrams in pings", func(w *world) {
		for i := range uint16(4) {
			data := quoteUDP(53, true, strings.Repeat("q", int(i)*9+1))
			w.send(client, server, message(8, 0, 1, 1, data))
			w.send(server, client, message(0, 0, 1, 1, data))
		}
	}, []string{"tunnel"}},
	{"answers differ", func(w *world) {
		for i := range uint16(4) {
			w.send(client, server, message(8, 0, 1, i, "question"))
			w.send(server, client, message(0, 0, 1, i, "answered"))
		}
	}, []string{"answers_differ"}},
	{"broadcast", func(w *world) {
		w.send(client, netip.MustParseAddr("255.255.255.255"), message(8, 0, 1, 1, "data"))
		w.send(netip.MustParseAddr("fe80::1"), netip.MustParseAddr("ff02::1"), message(128, 0, 1, 1, "data"))
	}, []string{"group_request", "group_request"}},
	{"broadcast by its frame", func(w *world) {
		frame := append([]byte{255, 255, 255, 255, 255, 255}, ether(0, 1)[6:]...)
		w.frameOf(packet.LinkEthernet, frame, client, netip.MustParseAddr("192.0.2.63"), message(8, 0, 1, 1, "data"))
		w.frameOf(packet.LinkEthernet, ether(2, 1), client, netip.MustParseAddr("192.0.2.255"), message(8, 0, 1, 1, "data"))
	}, []string{"group_request"}},
	{"smurf", func(w *world) {
		for i := range uint16(10) {
			w.send(client, netip.MustParseAddr("192.0.2.255"), message(8, 0, 1, i, "data"))
		}
	}, []string{"smurf", "group_request"}},
	{"redirect of the router", func(w *world) {
		w.frameOf(packet.LinkEthernet, ether(9, 1), client, server, message(8, 0, 1, 1, "data"))
		w.ttl--
		w.frameOf(packet.LinkEthernet, ether(7, 9), client, server, message(8, 0, 1, 1, "data"))
		w.frameOf(packet.LinkEthernet, ether(1, 9), router, client, redirectTo(netip.MustParseAddr("192.0.2.9"), quoteUDP(1, false, "")))
	}, []string{"redirect"}},
	{"redirect of another", func(w *world) {
		w.frameOf(packet.LinkEthernet, ether(9, 1), client, server, message(8, 0, 1, 1, "data"))
		w.frameOf(packet.LinkEthernet, ether(1, 6), router, client, redirectTo(netip.MustParseAddr("192.0.2.66"), quoteUDP(1, false, "")))
	}, []string{"redirect_other_router", "redirect"}},
	{"redirect to itself", func(w *world) {
		w.send(router, client, redirectTo(router, quoteUDP(1, false, "")))
	}, []string{"redirect_invalid", "redirect"}},
	{"redirect of another's packet", func(w *world) {
		w.send(router, server, redirectTo(netip.MustParseAddr("192.0.2.9"), quoteUDP(1, false, "")))
	}, []string{"redirect_invalid", "redirect"}},
	{"one router", func(w *world) { advertise(w, 255, "fe80::1", 30, 30, 30) }, nil},
	{"router gone", func(w *world) { advertise(w, 255, "fe80::1", 30, 0) }, []string{"router_withdrawn"}},
	{"two routers", func(w *world) {
		advertise(w, 255, "fe80::1", 30)
		advertise(w, 255, "fe80::2", 30)
	}, []string{"router_second"}},
	{"router from afar", func(w *world) { advertise(w, 254, "fe80::1", 30) }, []string{"nd_hop_limit"}},
	{"router of another address", func(w *world) { advertise(w, 255, "2001:db8::1", 30) }, []string{"nd_source"}},
	{"too big", func(w *world) {
		quote := quoteUDP(1, true, strings.Repeat("x", 1400))
		w.send(router, client, append([]byte{3, 4, 0, 0, 0, 0, 5, 0}, quote...))
		w.send(router, client, append([]byte{3, 4, 0, 0, 0, 0, 0, 0}, quote...))
	}, nil},
	{"absurd limit", func(w *world) {
		w.send(router, client, append([]byte{3, 4, 0, 0, 0, 0, 0, 40}, quoteUDP(1, true, "x")...))
	}, []string{"mtu_absurd"}},
	{"limit above the packet", func(w *world) {
		w.send(router, client, append([]byte{3, 4, 0, 0, 0, 0, 5, 0xdc}, quoteUDP(1, true, "x")...))
	}, []string{"mtu_absurd"}},
	{"limit below IPv6", func(w *world) {
		w.send(netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), []byte{2, 0, 0, 0, 0, 0, 4, 0xff})
	}, []string{"mtu_absurd"}},
	{"source quench", func(w *world) {
		w.send(router, client, append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, quoteUDP(1, false, "")...))
	}, []string{"source_quench"}},
	{"deprecated", func(w *world) { w.send(client, server, message(15, 0, 1, 1, "")) }, []string{"deprecated_type"}},
	{"code", func(w *world) { w.send(client, server, message(8, 9, 1, 1, "data")) }, []string{"echo_code"}},
	{"impossible", func(w *world) { w.send(netip.MustParseAddr("224.0.0.5"), client, message(8, 0, 1, 1, "data")) }, []string{"impossible_source"}},
}

func echoes(w *world, n int, every time.Duration) {
	for i := range n {
		w.send(client, server, message(8, 0, 1, uint16(i), "data"))
		w.at = w.at.Add(every)
	}
}

func asks(w *world, n byte, every time.Duration) {
	for i := range n {
		w.send(client, netip.AddrFrom4([4]byte{203, 0, 113, i}), message(8, 0, 1, uint16(i), "data"))
		w.at = w.at.Add(every)
	}
}

func advertise(w *world, ttl uint8, from string, lifetimes ...byte) {
	w.ttl = ttl
	for _, l := range lifetimes {
		w.send(netip.MustParseAddr(from), netip.MustParseAddr("ff02::1"), advertisement(l))
	}
}

// tunnels sends random data of all sizes both ways.
func tunnels(w *world, echoed bool) {
	r := rand.NewChaCha8([32]byte{1})
	random := func(n int) string {
		b := make([]byte, n)
		_, _ = r.Read(b) // never fails
		return string(b)
	}
	for i := range uint16(20) {
		data := random(100 + 37*int(i))
		w.send(client, server, message(8, 0, 1, i, data))
		if !echoed {
			data = random(300)
		}
		w.send(server, client, message(0, 0, 1, i, data))
		w.at = w.at.Add(time.Second)
	}
}

func TestFindings(t *testing.T) {
	for _, tt := range findingTests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			tt.send(w)
			r := w.Report()
			if got := codesOf(r.Findings); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v\n%+v", got, tt.want, r.Findings)
			}
			for _, f := range r.Findings {
				if len(f.Evidence) == 0 || len(f.Frames) == 0 || f.Text == "" || f.Severity == "" {
					t.Errorf("%+v", f)
				}
			}
			if again := w.Report(); fmt.Sprint(again) != fmt.Sprint(r) {
				t.Errorf("a second report differs:\n%v\n%v", again, r)
			}
		})
	}
	for _, k := range kinds { // each is tested
		if !slices.ContainsFunc(findingTests, func(tt struct {
			name string
			send func(*world)
			want []string
		}) bool {
			return slices.Contains(tt.want, k.word)
		}) {
			t.Errorf("no test of %s", k.word)
		}
	}
}

// TestOfPacket checks what is said of a packet by itself.
func TestOfPacket(t *testing.T) {
	w := newWorld()
	if got := w.send(client, server, message(8, 0, 1, 1, "data")); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	got := w.send(client, server, message(8, 9, 1, 2, "data"))
	if len(got) != 1 || got[0].Code != "echo_code" || got[0].Text == "" || got[0].Severity != "info" {
		t.Errorf("%+v", got)
	}
}

// TestReplies knows the program from replies alone, without their TTL.
func TestReplies(t *testing.T) {
	w := newWorld()
	w.ttl = 250
	for i := range uint16(3) {
		w.send(server, client, message(0, 0, 1, i, "abcdefghijklmnopqrstuvwabcdefghi"))
	}
	m := w.Report().Makers
	if len(m) != 1 || m[0].Tool != "Windows ping" || m[0].Src != client || m[0].Level() != High || len(m[0].Contrary) > 0 {
		t.Fatalf("%+v", m)
	}
}

// TestBounds sends more of everything than there is room for.
func TestBounds(t *testing.T) {
	w := newWorld()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a := netip.AddrFrom4([4]byte{10, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		b := netip.AddrFrom4([4]byte{11, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		w.frameOf(packet.LinkEthernet, ether(1, 2), a, b, message(8, 1, uint16(r.Uint32()), 1, "data"))
	}
	rep := w.Report()
	if len(w.flows.nodes) > maxFlows || len(w.meters.nodes) > maxHosts || len(w.sources.nodes) > maxSources ||
		len(w.hops.nodes) > maxHops || len(rep.Makers) > maxMakers || len(rep.Findings) > maxEntries {
		t.Errorf("%d flows, %d makers, %d findings", len(w.flows.nodes), len(rep.Makers), len(rep.Findings))
	}
	if rep.Unnamed == 0 || rep.Left == 0 {
		t.Errorf("nothing is said of what was left out: %d, %d", rep.Unnamed, rep.Left)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	w := newWorld()
	data := message(8, 0, 1, 1, hostTime+count(8, 0x37))
	reply := message(0, 0, 1, 1, hostTime+count(8, 0x37))
	quench := append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, quoteUDP(1, false, "some data")...)
	refused := append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, quoteUDP(1, false, "some data")...)
	echoed := append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, quoteUDP(1, false, "some data")...)
	echoed[8+9] = 1 // the quoted bytes are an echo request now
	copy(echoed[8+20:], message(8, 0, 1, 1, ""))
	packets := []packet.Packet{
		packetOf(router, client, echoed),
		packetOf(client, server, data), packetOf(server, client, reply), packetOf(router, client, quench), packetOf(router, client, refused),
	}
	round := func() {
		for i := range packets {
			w.Add(&packets[i])
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzAdd feeds messages between few hosts: nothing panics, what is remembered
// stays bounded, and a report says the same twice.
func FuzzAdd(f *testing.F) {
	f.Add([]byte("\x00\x0c\x08\x00\x00\x00\x00\x01\x00\x01abcd\x01\x0c\x00\x00\x00\x00\x00\x01\x00\x01abcd"))
	f.Add(append([]byte{0x42, 54}, message(11, 0, 0, 0, quoteUDP(33434, true, "SUPERMAN\x00z"))...))
	f.Add(append([]byte{0x12, 36}, redirectTo(router, quoteUDP(1, false, ""))...))
	f.Add(append([]byte{0x8c, 16}, advertisement(0)...))
	hosts := []netip.Addr{client, server, router, netip.MustParseAddr("fe80::1")}
	f.Fuzz(func(t *testing.T, in []byte) {
		w := newWorld()
		for len(in) >= 2 {
			how, n := in[0], min(int(in[1]), len(in)-2)
			msg := in[2 : 2+n]
			in = in[2+n:]
			if len(msg) == 0 {
				continue
			}
			p := packetOf(hosts[how&3], hosts[how>>2&3], msg)
			p.IP.TTL, p.Frame.Number = msg[len(msg)-1], len(in)+1
			p.MessageLen += int(how>>4&3) * 7 // cut short
			if how&64 != 0 {
				p.Frame.Link, p.Frame.Data = packet.LinkEthernet, msg
			}
			if how&128 != 0 {
				p.Frame.Time = start.Add(time.Duration(int8(n)) * time.Second)
			}
			w.Add(&p)
		}
		r := w.Report()
		for _, m := range r.Makers {
			if m.Confidence < 0 || m.Confidence > 1 || len(m.Evidence) == 0 {
				t.Fatalf("%+v", m)
			}
		}
		if again := w.Report(); fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("a second report differs:\n%v\n%v", again, r)
		}
	})
}
