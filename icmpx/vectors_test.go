package icmpx_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
)

// exemptions are the vector frames that this package rightly reads otherwise
// than their generator meant, with the key that differs.
var exemptions = []struct {
	file   string
	frame  int
	key    string
	reason string
	used   bool
}{
	{file: "v4_ext_legacy", frame: 15, key: "legacy",
		reason: "a legacy extension whose checksum is wrong proves nothing: it may be the quoted packet's data"},
}

// A vectorFrame is one line of an expected.jsonl file.
type vectorFrame struct {
	Frame int
	Desc  string
	Built map[string]any
}

// A carried is an ICMP message with what its packet says.
type carried struct {
	family icmpx.Family
	msg    []byte
	opts   icmpx.DissectOptions
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/vectors/*.pcap")
	if err != nil || len(files) != 14 {
		t.Fatalf("found %d captures (%v), want 14", len(files), err)
	}
	total := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pcap")
		t.Run(name, func(t *testing.T) {
			frames, ether := readCapture(t, file)
			want := readExpected(t, strings.TrimSuffix(file, ".pcap")+".expected.jsonl")
			if len(frames) != len(want) {
				t.Fatalf("%d frames, %d expectations", len(frames), len(want))
			}
			for i, w := range want {
				if w.Frame != i+1 {
					t.Fatalf("expectation %d is for frame %d", i+1, w.Frame)
				}
				checkFrame(t, name, w, frames[i], ether)
				total++
			}
		})
	}
	if total != 406 {
		t.Errorf("compared %d frames, want 406", total)
	}
	for _, e := range exemptions {
		if !e.used {
			t.Errorf("exemption of %s frame %d key %s is no longer needed", e.file, e.frame, e.key)
		}
	}
}

func exempt(file string, frame int, key string) bool {
	for i := range exemptions {
		if e := &exemptions[i]; e.file == file && e.frame == frame && e.key == key {
			e.used = true
			return true
		}
	}
	return false
}

func checkFrame(t *testing.T, file string, w vectorFrame, frame []byte, ether bool) {
	t.Helper()
	c, ok := message(frame, ether)
	if !ok {
		if w.Built != nil {
			t.Errorf("frame %d (%s): no ICMP message found", w.Frame, w.Desc)
		}
		return
	}
	d := icmpx.Dissect(c.family, c.msg, c.opts)
	checkStrict(t, w, c)
	checkReply(t, w, c)
	for key, want := range w.Built {
		check, ok := builtChecks[key]
		if !ok {
			t.Fatalf("frame %d: unknown key %q", w.Frame, key)
		}
		if want == nil && key != "ext" && key != "sum_ok" {
			continue // defined as unknown
		}
		if why := check(&vectorCase{c, d, w.Built, want}); why != "" && !exempt(file, w.Frame, key) {
			t.Errorf("frame %d (%s): %s: want %v: %s\n%v", w.Frame, w.Desc, key, want, why, d.Problems)
		}
	}
}

// checkStrict checks that what Parse accepts comes back byte for byte, and that
// it accepts nothing with a wrong checksum.
func checkStrict(t *testing.T, w vectorFrame, c carried) {
	t.Helper()
	m, err := icmpx.Parse(c.family, c.msg, c.opts.Src, c.opts.Dst)
	if err != nil {
		if pe, ok := errors.AsType[*icmpx.ParseError](err); !ok || pe.Offset < 0 || pe.Offset > len(c.msg) {
			t.Errorf("frame %d: parse error %v", w.Frame, err)
		}
		if w.Built["payload_len"] != nil && w.Built["sum_ok"] == true {
			t.Errorf("frame %d (%s): parse: %v", w.Frame, w.Desc, err)
		}
		return
	}
	if w.Built["sum_ok"] == false || w.Built["ext_bad"] == true || w.Built["ext_sum"] == "bad" {
		t.Errorf("frame %d (%s): parsed", w.Frame, w.Desc)
	}
	if m.Code != int(c.msg[1]) {
		t.Errorf("frame %d: code %d", w.Frame, m.Code)
	}
	b, err := icmpx.Marshal(m, c.opts.Src, c.opts.Dst)
	if err != nil || !bytes.Equal(b, c.msg) {
		t.Errorf("frame %d (%s): marshal: %v\ngot  %x\nwant %x", w.Frame, w.Desc, err, b, c.msg)
	}
}

// checkReply checks that the receive path agrees with what was built.
func checkReply(t *testing.T, w vectorFrame, c carried) {
	t.Helper()
	var r icmpx.Reply
	err := icmpx.DecodeReply(c.family, c.msg, &r)
	if c.family == icmpx.IPv4 && w.Built["sum_ok"] == false && err == nil {
		t.Errorf("frame %d (%s): decoded in spite of its checksum", w.Frame, w.Desc)
	}
	q, _ := w.Built["quote"].(map[string]any)
	if err != nil {
		if w.Built["sum_ok"] == true && namesProbe(q) {
			t.Errorf("frame %d (%s): reply: %v", w.Frame, w.Desc, err)
		}
		return
	}
	for key, got := range map[string]any{
		"src": r.Quote.Src.String(), "dst": r.Dst.String(), "id": r.Quote.ID, "len": r.Quote.TotalLen,
		"sport": r.Quote.SrcPort, "dport": r.Quote.DstPort, "tcp_seq": r.Quote.Seq,
		"icmp_type": r.Quote.Type, "icmp_id": r.Key.Flow, "icmp_seq": r.Key.Tag, "proto": r.Quote.Proto,
	} {
		if want, ok := q[key]; ok && !same(got, want) {
			t.Errorf("frame %d (%s): reply quotes %s %v, want %v", w.Frame, w.Desc, key, got, want)
		}
	}
	for key, got := range map[string]any{
		"id": r.Key.Flow, "seq": r.Key.Tag, "mtu": r.MTU, "ptr": r.Pointer, "gw": r.Gateway.String(),
		"payload_len": len(r.Payload),
	} {
		if want, ok := w.Built[key]; ok && !same(got, want) && got != math.MaxInt32 { // where an int has 32 bits
			t.Errorf("frame %d (%s): reply has %s %v, want %v", w.Frame, w.Desc, key, got, want)
		}
	}
	if want, ok := w.Built["mpls"].([]any); ok && w.Built["ext_version"] == nil {
		checkReplyLabels(t, w, r.Ext, want)
	}
	if ext, ok := w.Built["ext"]; ok && ext == nil && r.Ext != nil {
		t.Errorf("frame %d (%s): reply has an extension", w.Frame, w.Desc)
	}
}

// namesProbe reports whether a quote shows all 8 bytes of a transport header
// that a probe can have.
func namesProbe(q map[string]any) bool {
	has := func(key string) bool { return q[key] != nil }
	tcp := same(q["proto"], 6) || same(q["nxt"], 6)
	return has("tcp_seq") || has("icmp_seq") || has("dport") && !tcp
}

func checkReplyLabels(t *testing.T, w vectorFrame, b []byte, want []any) {
	t.Helper()
	exts, _ := icmpx.ParseExtensions(b)
	for _, e := range exts {
		ls, ok := e.(*icmp.MPLSLabelStack)
		if !ok {
			continue
		}
		got := []any{}
		for _, l := range ls.Labels {
			s := 0
			if l.S {
				s = 1
			}
			got = append(got, []any{l.Label, l.TC, s, l.TTL})
		}
		if !same(got, want) {
			t.Errorf("frame %d (%s): reply has labels %v, want %v", w.Frame, w.Desc, got, want)
		}
		return
	}
	t.Errorf("frame %d (%s): reply has no labels", w.Frame, w.Desc)
}

// same compares what was found with what JSON says.
func same(got, want any) bool {
	g, err1 := json.Marshal(got)
	w, err2 := json.Marshal(want)
	return err1 == nil && err2 == nil && bytes.Equal(g, w)
}

func readCapture(t testing.TB, file string) (frames [][]byte, ether bool) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames, r.LinkType() == 1
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, data)
	}
}

func readExpected(t *testing.T, file string) []vectorFrame {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []vectorFrame
	for dec := json.NewDecoder(f); ; {
		var w vectorFrame
		dec.UseNumber()
		if err := dec.Decode(&w); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
}

// message finds the ICMP message of a frame, through tunnels if need be.
func message(b []byte, ether bool) (carried, bool) {
	if ether {
		if len(b) < 14 || b[12] != 0x08 && b[12] != 0x86 {
			return carried{}, false
		}
		want := icmpx.IPv4
		if b[12] == 0x86 {
			want = icmpx.IPv6
		}
		return inPacket(b[14:], want)
	}
	return inPacket(b, icmpx.Family(b[0]>>4))
}

func inPacket(b []byte, f icmpx.Family) (carried, bool) {
	q, err := icmpx.ParseQuote(b, f)
	if err != nil || q.FragOff != 0 {
		return carried{}, false
	}
	off := f.HeaderLen()
	if f == icmpx.IPv4 {
		off = int(b[0]&15) * 4
	} else if h, err := icmpx.ParseIPv6Header(b); err == nil {
		off = h.Len()
	}
	if off > len(b) || q.TotalLen < off {
		return carried{}, false
	}
	n := q.TotalLen - off
	b = b[off:min(len(b), q.TotalLen)]
	switch {
	case int(q.Proto) == f.Protocol():
		return carried{f, b, icmpx.DissectOptions{Src: q.Src, Dst: q.Dst, Len: n}}, len(b) > 0
	case q.Proto == 4:
		return inPacket(b, icmpx.IPv4)
	case q.Proto == 41:
		return inPacket(b, icmpx.IPv6)
	case q.Proto == 47 && len(b) > 4:
		return inPacket(b[4:], icmpx.IPv4)
	}
	return carried{}, false
}
