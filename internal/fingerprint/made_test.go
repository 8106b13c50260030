package fingerprint

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// Times of the world's start as programs write them.
const (
	sec      = 0x695735a5 // 2026-01-02 03:04:05 UTC
	hostTime = "\xa5\x35\x57\x69\x01\x02\x00\x00"
	netTime  = "\x69\x57\x35\xa5\x00\x00\x02\x01"
	nanoTime = "\x18\x86\xca\xf2\x1c\x96\x32\x00"
	oneUUID  = "\x01\x02\x03\x04\x05\x06\x47\x08\x89\x0a\x0b\x0c\x0d\x0e\x0f\x10"
	token    = "\xe6\x39\x93\x6c\xd3\xc9\x24\x63"
	macOf24  = "\xff\x01\x02\x03\x04\x05\x06\x07\xf8\x09\x0a\x0b\x0c\x0d\x0e\x0f\x01\x11\x12\x13\x14\x15\x16\x17"
)

// A made conversation is one that a program makes by its source, of which there
// is no capture among those of the tests.
type made struct {
	want   told
	source string // where that is known from
	data   string
	query  uint8 // type; 0: echo
	code   uint8
	id     uint16
	first  uint16 // sequence number
	step   uint16
	n      int
	ttl    uint8
	rises  bool
	df     bool
	ipid   uint32
	v6     bool
}

var madeConversations = []made{
	{want: told{"iputils ping", "on a 32-bit system", High, ""}, source: "iputils: struct timeval of 8 bytes in host order",
		data: hostTime + count(8, 0x37), first: 1, step: 1, n: 3, ttl: 64, df: true},
	{want: told{"BSD ping", "or Solaris, or another old one", High, ""}, source: "4.4BSD ping.c: timeval in host order, seq from 0, TTL 255",
		data: hostTime + count(8, 0x37), step: 1, n: 3, ttl: 255},
	{want: told{"FreeBSD or macOS ping", "", High, ""}, source: "FreeBSD and Apple ping.c: tv32 in network order, seq from 0",
		data: netTime + count(8, 0x37), step: 1, n: 3, ttl: 64},
	{want: told{"FreeBSD or macOS ping", "", High, ""}, source: "FreeBSD and Apple ping6.c",
		data: netTime + count(8, 0x0f), step: 1, n: 3, ttl: 64, v6: true},
	{want: told{"OpenBSD ping", "", High, ""}, source: "OpenBSD ping.c: struct payload of 24 bytes, the rest counts",
		data: macOf24 + count(0x18, 0x37), step: 1, n: 3, ttl: 255},
	{want: told{"OpenBSD ping", "", High, ""}, source: "OpenBSD ping.c as ping6: the system's hop limit, 64",
		data: macOf24 + count(0x18, 0x37), step: 1, n: 3, ttl: 64, v6: true},
	{want: told{"pro-bing", "a library for Go", High, ""}, source: "pro-bing ping.go: time in ns, UUID, then bytes 1; 24 bytes by default",
		data: nanoTime + oneUUID, id: 999, step: 1, n: 3, ttl: 64, df: true},
	{want: told{"pro-bing", "a library for Go", High, ""}, source: "pro-bing ping.go, with a Size of 32",
		data: nanoTime + oneUUID + "\x01\x01\x01\x01\x01\x01\x01\x01", step: 1, n: 3, ttl: 64, df: true},
	{want: told{"fping", "random data (-R)", High, ""}, source: "fping.c: random() without srandom()",
		data: "\x67\xc6\x69\x73\x51\xff\x4a\xec\x29\xcd\xba\xab\xf2\xfb\xe3\x46zzzz", n: 1, ttl: 64, df: true},
	{want: told{"icmpx ping", tokenNote, Medium, ""}, source: "this project: token and 08 09 ...",
		data: token + count(8, 0x37), first: 1, step: 1, n: 3, ttl: 64, df: true},
	{want: told{"icmpx trace", tokenNote, High, ""}, source: "this project: token, filler that keeps the checksum, 0a 0b ...",
		data: token + "\xdf\x5f" + count(10, 0x1f), first: 1, step: 1, n: 5, ttl: 1, rises: true},
	{want: told{"Windows ping", "", High, ""}, source: "Windows: id 1, seq up by 1",
		data: "abcdefghijklmnopqrstuvwabcdefghi", id: 1, first: 77, step: 1, n: 4, ttl: 128},
	{want: told{"Windows tracert", "", Medium, ""}, source: "reports of 92-byte packets; the zeros and id 1 from descriptions alone",
		data: strings.Repeat("\x00", 64), id: 1, first: 9, step: 1, n: 6, ttl: 1, rises: true},
	{want: told{"Cisco IOS ping", "", High, ""}, source: "captures of IOS: 72 bytes, abcd",
		data: "\x00\x00\x00\x00\x01\x02\x03\x04" + strings.Repeat("\xab\xcd", 32), step: 1, n: 5, ttl: 255},
	{want: told{"zmap", "3.0 or 4.0", High, ""}, source: "zmap 3.0 module_icmp_echo.c, packet.c: 20 zero bytes, TTL 255, IP id 54321",
		data: strings.Repeat("\x00", 20), id: 0x1234, first: 0x5678, n: 1, ttl: 255, ipid: 54321},
	{want: told{"zmap", "4.1 or later", High, ""}, source: "zmap 4.1 module_icmp_echo.c, state.c: 20 zero bytes, TTL 64, IP id at random",
		data: strings.Repeat("\x00", 20), id: 0x1234, first: 0x5678, n: 1, ttl: 64, ipid: 7},
	{want: told{"nmap", "-PM", Medium, ""}, source: "nmap: mask request, all zero", query: 17,
		data: "\x00\x00\x00\x00", id: 7, n: 1, ttl: 45},
	{want: told{"hping3", "", Medium, ""}, source: "hping3 -1: seq counts in host order",
		id: 7, step: 0x100, n: 3, ttl: 64},
	// What nobody is known to send.
	{want: told{"", "", Low, ""}, source: "text", data: "a text that nobody is known to send", first: 5, step: 3, n: 3, ttl: 64},
	{want: told{"", "", Low, ""}, source: "one byte", data: "z", first: 5, step: 3, n: 3, ttl: 64},
	{want: told{"", "", Low, ""}, source: "no data, of odd habits", first: 500, step: 3, n: 3, ttl: 255},
}

func (m *made) send(w *world) {
	src, dst, typ := client, server, m.query
	if m.v6 {
		src, dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1::7")
	}
	if typ == 0 {
		typ = map[bool]uint8{false: 8, true: 128}[m.v6]
	}
	w.df = m.df
	for i := range m.n {
		w.ttl, w.ipid = m.ttl, m.ipid+uint32(i)*7919
		if m.rises {
			w.ttl += uint8(i)
		}
		w.send(src, dst, message(typ, m.code, m.id, m.first+uint16(i)*m.step, m.data))
	}
}

func TestMade(t *testing.T) {
	if start.Unix() != sec {
		t.Fatalf("the times are of %#x, the start is %#x", sec, start.Unix())
	}
	for _, m := range madeConversations {
		t.Run(m.want.tool+" "+m.source, func(t *testing.T) {
			w := newWorld()
			m.send(w)
			r := w.Report()
			if len(r.Makers) != 1 {
				t.Fatalf("%+v", r.Makers)
			}
			v := r.Makers[0]
			if got := (told{v.Tool, v.Note, v.Level(), strings.Join(v.Also, ", ")}); got != m.want {
				t.Errorf("got %v (%.2f)\nwant %v\nevidence %q, contrary %q", got, v.Confidence, m.want, v.Evidence, v.Contrary)
			}
		})
	}
}

// quotedProbes are packets that errors quote, of programs without a capture.
var quotedProbes = []struct {
	want told
	data string
	port uint16
	df   bool
}{
	{told{"icmpx trace", tokenNote, High, ""}, token + "\xdf\x5f" + count(10, 0x1f), 33434, false},
	{told{"GNU inetutils traceroute", "", High, ""}, "SUPERMAN\x00", 33434, true},
	{told{"scamper trace", "udp-paris", High, ""}, "\x12\x34" + strings.Repeat("\x00", 14), 33435, true},
	{told{"tracepath", "", Medium, ""}, strings.Repeat("z", 100), 44444, true},
}

func TestQuoted(t *testing.T) {
	for _, q := range quotedProbes {
		t.Run(q.want.tool, func(t *testing.T) {
			w := newWorld()
			for i := range uint16(3) {
				w.send(router, client, message(11, 0, 0, 0, quoteUDP(q.port+i, q.df, q.data)))
			}
			r := w.Report()
			if len(r.Makers) != 1 {
				t.Fatalf("%+v", r.Makers)
			}
			v := r.Makers[0]
			if got := (told{v.Tool, v.Note, v.Level(), strings.Join(v.Also, ", ")}); got != q.want {
				t.Errorf("got %v (%.2f), want %v", got, v.Confidence, q.want)
			}
		})
	}
	w := newWorld() // 8 bytes of transport header are nothing to tell anybody by
	w.send(router, client, message(11, 0, 0, 0, quoteUDP(33434, true, "SUPERMAN\x00")[:28]))
	if r := w.Report(); len(r.Makers) != 0 {
		t.Errorf("%+v", r.Makers)
	}
}

// quoteUDP returns a UDP datagram from client to server.
func quoteUDP(port uint16, df bool, data string) string {
	n := 28 + len(data)
	b := []byte{0x45, 0, byte(n >> 8), byte(n), 0, 7, 0, 0, 1, 17, 0, 0}
	if df {
		b[6] = 0x40
	}
	s, d := client.As4(), server.As4()
	b = append(append(b, s[:]...), d[:]...)
	sum := icmpx.Checksum(b)
	b[10], b[11] = byte(sum>>8), byte(sum)
	n -= 20
	b = append(b, 0x9c, 0x40, byte(port>>8), byte(port), byte(n>>8), byte(n), 0, 0)
	return string(b) + data
}

// TestEachSignature makes sure that each signature is the verdict of a test, and
// that the documentation names it.
func TestEachSignature(t *testing.T) {
	tested := make(map[string]bool)
	note := func(list []told) {
		for _, w := range list {
			tested[w.tool+"/"+w.note] = true
			for _, also := range strings.Split(w.also, ", ") {
				tested[also+"/"] = true
			}
		}
	}
	for _, list := range toolCaptures {
		note(list)
	}
	for _, list := range storyCaptures {
		note(list)
	}
	for _, m := range madeConversations {
		note([]told{m.want})
	}
	for _, q := range quotedProbes {
		note([]told{q.want})
	}
	doc, err := os.ReadFile("../../docs/fingerprints.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range signatures {
		s := &signatures[i]
		if !tested[s.tool+"/"+s.note] {
			t.Errorf("no test of %s (%s)", s.tool, s.note)
		}
		if !strings.Contains(string(doc), s.tool) {
			t.Errorf("docs/fingerprints.md does not name %s", s.tool)
		}
	}
	for c := range kinds {
		if !strings.Contains(string(doc), "`"+kinds[c].word+"`") {
			t.Errorf("docs/fingerprints.md does not name %s", kinds[c].word)
		}
	}
}
