package filter_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/filter"
	"github.com/icmpx/icmpx/internal/packet"
)

// expressions exercise every condition, both ways.
var expressions = []string{
	"", "icmp", "icmp6", "not icmp", "ip", "ip6", "not ip6 or vlan",
	"host 192.0.2.1", "src 192.0.2.1", "dst net 198.51.100.0/24", "not src net 192.0.2.0/24", "src and dst net 192.0.2.0/24",
	"host 2001:db8::1", "net 2001:db8::/32", "not dst net fe80::/10", "net ff00::/8", "src net 2001:db8::/67",
	"type echo", "not type echo", "type 3 or 11 or 0", "type 1 or 3", "code 0", "not code 0", "code port-unreachable",
	"type port-unreachable or too-big", "not type too-big", "code too-big or prohibited",
	"id 1", "not id 0x1234", "seq 1", "not seq 1 and icmp", "type 8 and seq 1 or src 192.0.2.1",
	"icmp[icmptype] == icmp-echo", "icmp[icmptype] != icmp-echo", "not icmp[0] > 3", "icmp[4:2] & 0xff = 1", "0x100 <= icmp[4:2]",
	"icmp[2:4] >= 1 and icmp[3] < 200", "icmp[8] = 1", "not icmp[8] = 1", "icmp6[0] = 135", "not icmp6[0:4] & 0xff000000 = 0x87000000",
	"ip[8] < 65", "not ip[8] < 65", "ip[20] = 7", "not ip[20] = 7", "ip6[7] = 255", "not ip6[40] = 1", "ip[6:2] & 0x1fff = 0", "not 5 < ip[1]",
	"proto 1", "not proto 58", "ip proto 1 or ip6 proto 17", "not proto 6", "proto 6",
	"greater 100", "not less 90", "len = 98", "inbound", "not outbound", "vlan", "not vlan 5", "ip multicast", "not ip6 multicast",
	"quoted host 192.0.2.1", "not quoted net 2001:db8::/32", "not (quoted src 192.0.2.1 and type 3)",
	"(type 8 or type 128) and not (src 192.0.2.1 or src net 2001:db8::/32)", "icmp[100] = 1 or host 192.0.2.1",
	"not (not (icmp or icmp6) or not (type 0 or type 3 or type 8))", "icmp[icmp[0]] = 3 or len / 2 > 40 or ip[0] + ip[1] > 70",
}

// A subject is a filter with its programs.
type subject struct {
	*filter.Filter
	vms map[programKey]*bpf.VM
}

type programKey struct {
	link packet.LinkType
	all  bool
}

func newSubject(t testing.TB, text string) subject {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s := subject{f, map[programKey]*bpf.VM{}}
	for _, link := range []packet.LinkType{packet.LinkRaw, packet.LinkEthernet} {
		for _, all := range []bool{false, true} {
			s.vms[programKey{link, all}] = newVM(t, f, link, all)
		}
	}
	return s
}

// newVM returns a program as the kernel would run it: it must assemble too.
func newVM(t testing.TB, f *filter.Filter, link packet.LinkType, all bool) *bpf.VM {
	t.Helper()
	prog, err := f.BPF(link, all)
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	if len(prog) > 1024 {
		t.Errorf("%s: %d instructions", f, len(prog))
	}
	if _, err := bpf.Assemble(prog); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return vm
}

func (s subject) passes(t testing.TB, p *packet.Packet, all bool) bool {
	t.Helper()
	if len(p.Frame.Data) == 0 {
		return true // no socket hands up an empty frame
	}
	n, err := s.vms[programKey{p.Frame.Link, all}].Run(p.Frame.Data)
	if err != nil {
		t.Fatal(err)
	}
	return n >= len(p.Frame.Data)
}

// check compares the programs with Match: what Match selects must pass, unless
// only ICMP is wanted and the packet is none, or stands where it is not looked
// for.
func (s subject) check(t testing.TB, p *packet.Packet) {
	t.Helper()
	if !s.Match(p) {
		return
	}
	if !s.passes(t, p, true) {
		t.Errorf("%q selects a packet that does not pass: link %d, % x", s, p.Frame.Link, p.Frame.Data)
	}
	if p.ICMPPart() && p.Depth == 1 && plainly(p) && !s.passes(t, p, false) {
		t.Errorf("%q selects an ICMP packet that does not pass: link %d, % x", s, p.Frame.Link, p.Frame.Data)
	}
}

// plainly reports whether only VLAN tags, PPPoE, LLC and extension headers
// stand before the ICMP message.
func plainly(p *packet.Packet) bool {
	if p.Frame.Link == packet.LinkRaw {
		return true
	}
	d := p.Frame.Data
	typ := binary.BigEndian.Uint16(d[12:])
	for at := 14; at+4 <= len(d) && (typ == 0x8100 || typ == 0x88a8 || typ == 0x9100 || typ == 0x9200); at += 4 {
		typ = binary.BigEndian.Uint16(d[at+2:])
	}
	return typ == 0x0800 || typ == 0x86dd || typ == 0x8864 || typ < 0x600
}

// readCaptures gives every frame of the captures in the tree, and those of the
// folder that ICMPX_VECTORS names, if it is set: whole to each, as it is and
// without its link layer.
func readCaptures(t *testing.T, each func(*packet.Packet)) (frames int) {
	t.Helper()
	var files []string
	patterns := []string{"../packet/testdata/vectors/*/*.pcap*", "../packet/testdata/vectors/*/*/*.pcap*"}
	if dir := os.Getenv("ICMPX_VECTORS"); dir != "" {
		patterns = append(patterns, filepath.Join(dir, "dev/peers/*/*.pcap*"))
	}
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil || len(found) == 0 {
			t.Fatalf("no captures %s: %v", p, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range []bool{false, true} {
			frames += readCapture(t, file, raw, each)
		}
	}
	return frames
}

func readCapture(t *testing.T, file []byte, raw bool, each func(*packet.Packet)) (frames int) {
	t.Helper()
	r, err := capfile.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var d, own packet.Decoder
	var f packet.Frame
	var p packet.Packet
	for {
		err := r.Next(&f)
		var damage *capfile.Damage
		if err == io.EOF || errors.As(err, &damage) {
			return frames
		} else if err != nil {
			t.Fatal(err)
		}
		own.Decode(&f, &p)
		switch {
		case !raw && f.Link != packet.LinkEthernet && f.Link != packet.LinkRaw, raw && p.Depth == 0, raw && p.Start >= len(f.Data):
			continue
		case raw:
			f.Data = f.Data[p.Start:]
			f.Link = packet.LinkRaw
			if v := f.Data[0] >> 4; v != 4 && v != 6 {
				continue // no socket gives that as IP
			}
		}
		frames++
		d.Decode(&f, &p)
		each(&p)
	}
}

// TestProgramsPassWhatMatches runs every program on every capture.
func TestProgramsPassWhatMatches(t *testing.T) {
	var subjects []subject
	for _, text := range expressions {
		subjects = append(subjects, newSubject(t, text))
	}
	frames := readCaptures(t, func(p *packet.Packet) {
		for _, s := range subjects {
			s.check(t, p)
		}
	})
	if frames < 1000 {
		t.Errorf("%d frames; there are more", frames)
	}
}

// TestProgramsPassRandom does the same on packets that are made up: mostly
// plausible ones, with any byte wrong and cut anywhere.
func TestProgramsPassRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var subjects []subject
	for _, text := range expressions {
		subjects = append(subjects, newSubject(t, text))
	}
	var d packet.Decoder
	var p packet.Packet
	selected := 0
	for range 20000 {
		f := randomFrame(rng)
		d.Decode(&f, &p)
		for _, s := range subjects {
			if s.Match(&p) {
				selected++
			}
			s.check(t, &p)
		}
		if t.Failed() {
			return
		}
	}
	if selected < 100000 {
		t.Errorf("%d selected; the packets are of no use", selected)
	}
}

// pick returns one of several.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// randomFrame returns a frame that is somewhat like a real one.
func randomFrame(rng *rand.Rand) packet.Frame {
	message := []byte{pick[byte](rng, 0, 3, 8, 11, 13, 42, 128, 129, 135, 1), pick[byte](rng, 0, 3), 0, 0, 0x12, 0x34, 0, 1}
	message = append(message, make([]byte, rng.IntN(30))...)
	proto := pick[byte](rng, 1, 58, 1, 58, 6, 17, 51, 4, 41, 0, 44, 60)
	var ip []byte
	ether := uint16(0x0800)
	if rng.IntN(2) == 0 {
		options := pick(rng, 0, 0, 0, 4, 40)
		ip = append([]byte{0x45 + byte(options/4), 0}, binary.BigEndian.AppendUint16(nil, uint16(20+options+len(message)))...)
		ip = append(ip, 0, 1, pick[byte](rng, 0, 0, 0, 0x20, 0x40), pick[byte](rng, 0, 0, 0, 1), 64, proto, 0, 0)
		ip = append(ip, pick(rng, "\xc0\x00\x02\x01", "\xc6\x33\x64\x07")+pick(rng, "\xc0\x00\x02\x01", "\xe0\x00\x00\x01")...)
		ip = append(ip, make([]byte, options)...)
	} else {
		ether = 0x86dd
		ip = append([]byte{0x60, 0, 0, 0}, binary.BigEndian.AppendUint16(nil, uint16(len(message)))...)
		ip = append(ip, proto, 255)
		one := "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
		ip = append(ip, one+pick(rng, one, "\xff\x02"+one[2:], "\xfe\x80"+one[2:])...)
	}
	packetBytes := append(ip, message...)
	f := packet.Frame{Number: 1, Link: packet.LinkRaw, Direction: packet.Direction(rng.IntN(3))}
	if rng.IntN(2) == 0 {
		f.Link = packet.LinkEthernet
		head := make([]byte, 12)
		for range rng.IntN(4) {
			head = append(binary.BigEndian.AppendUint16(head, pick[uint16](rng, 0x8100, 0x88a8, 0x9100, 0x9200)), 0, 5)
		}
		if rng.IntN(8) == 0 {
			head = append(binary.BigEndian.AppendUint16(head, 0x8864), 0x11, 0, 0, 1)
			head = binary.BigEndian.AppendUint16(head, uint16(len(packetBytes)+2))
			ether = map[uint16]uint16{0x0800: 0x0021, 0x86dd: 0x0057}[ether]
		}
		packetBytes = append(binary.BigEndian.AppendUint16(head, ether), packetBytes...)
	}
	for range rng.IntN(3) {
		packetBytes[rng.IntN(len(packetBytes))] = byte(rng.Uint32())
	}
	f.Len = len(packetBytes)
	f.Data = packetBytes
	if rng.IntN(8) == 0 {
		f.Data = packetBytes[:rng.IntN(len(packetBytes)+1)]
	}
	return f
}

// TestProgramsHoldBack has programs drop what they can tell.
func TestProgramsHoldBack(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "big6 echo4 echo6 first4 later4 probe4 reply4 short4 unreach",
		"icmp":                  "echo4 first4 later4 probe4 reply4 short4 unreach",
		"host 203.0.113.1":      "unreach",
		"not host 192.0.2.1":    "big6 echo6",
		"dst 2001:db8::1":       "big6",
		"type echo":             "echo4 echo6 first4 later4 short4",
		"not type echo":         "big6 first4 later4 probe4 reply4 short4 unreach",
		"id 0x1235":             "first4 later4 short4",
		"type 8 and seq 5":      "echo4 first4 later4 short4",
		"icmp[icmptype] == 3":   "first4 later4 short4 unreach",
		"not icmp[0] & 0xf < 9": "big6 echo6 first4 later4 probe4 short4",
		"ip[9] > 1":             "",
		"ip6":                   "big6 echo6",
	} {
		s := newSubject(t, text)
		for name := range samples {
			p := decode(t, name)
			if p.Frame.Link != packet.LinkRaw {
				continue
			}
			wanted := false
			for _, w := range strings.Fields(want) {
				wanted = wanted || w == name
			}
			if got := s.passes(t, p, false); got != wanted {
				t.Errorf("%q: %s passes: %v", text, name, got)
			}
		}
	}
	s := newSubject(t, "host 203.0.113.1")
	if s.passes(t, decode(t, "echo4"), true) || !s.passes(t, decode(t, "udp4"), true) {
		t.Error("with all, ICMP of other hosts passes, or what may be a tunnel does not")
	}
}

// TestLongPrograms has jumps over more than 255 instructions, and a filter that
// is too long for the kernel.
func TestLongPrograms(t *testing.T) {
	for _, n := range []int{1, 10, 20, 40, 60, 80, 200} {
		var text strings.Builder
		for i := range n {
			if i > 0 {
				text.WriteString(" or ")
			}
			text.WriteString("src 192.0.2.")
			text.WriteString(string(rune('0' + i%10)))
		}
		s := newSubject(t, "not icmp[0] = 77 and ("+text.String()+")")
		for name := range samples {
			if p := decode(t, name); p.Frame.Link == packet.LinkRaw {
				s.check(t, p)
			}
		}
		passes := s.passes(t, decode(t, "unreach"), false)
		if whole := n < 200; passes == whole {
			t.Errorf("%d conditions: a packet of another host passes: %v", n, passes)
		}
	}
}

func TestNoProgram(t *testing.T) {
	var f *filter.Filter
	if _, err := f.BPF(packet.LinkCooked, false); err == nil {
		t.Error("a program for cooked frames, which no socket gives")
	}
}

// FuzzParse reads any expression and runs it. What Match selects passes the
// programs.
func FuzzParse(f *testing.F) {
	for _, text := range expressions {
		f.Add(text, []byte("\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x01\x00\x00\xc0\x00\x02\x01\xc6\x33\x64\x07\x08\x00\x00\x00\x12\x34\x00\x05"), false)
	}
	f.Fuzz(func(t *testing.T, text string, data []byte, ethernet bool) {
		parsed, err := filter.Parse(text)
		if err != nil {
			var syntax *filter.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		frame := packet.Frame{Number: 1, Len: len(data), Data: data, Link: packet.LinkRaw}
		if ethernet {
			frame.Link = packet.LinkEthernet
		}
		var d packet.Decoder
		var p packet.Packet
		d.Decode(&frame, &p)
		s := subject{parsed, map[programKey]*bpf.VM{}}
		for _, all := range []bool{false, true} {
			s.vms[programKey{frame.Link, all}] = newVM(t, parsed, frame.Link, all)
		}
		if !ethernet && len(data) > 0 && data[0]>>4 != 4 && data[0]>>4 != 6 {
			return // no socket gives that as IP
		}
		s.check(t, &p)
	})
}

func BenchmarkMatch(b *testing.B) {
	f, err := filter.Parse("icmp[icmptype] == icmp-echo and net 192.0.2.0/24 and not id 7")
	if err != nil {
		b.Fatal(err)
	}
	p := decode(b, "echo4")
	b.ReportAllocs()
	for range b.N {
		if !f.Match(p) {
			b.Fatal("not selected")
		}
	}
}
