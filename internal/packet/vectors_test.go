package packet_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// vectors returns the captures below testdata whose path matches a pattern.
func vectors(t testing.TB, pattern string) []string {
	t.Helper()
	var names []string
	for _, ext := range []string{".pcap", ".pcapng"} {
		found, err := filepath.Glob(filepath.Join("testdata", "vectors", pattern+ext))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		t.Fatalf("no capture matches %s", pattern)
	}
	return names
}

// decodeFile hands the packets of a capture to each.
func decodeFile(t testing.TB, name string, d *packet.Decoder, each func(*packet.Packet)) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := capfile.NewReader(file)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var (
		f   packet.Frame
		p   packet.Packet
		cut *capfile.Damage
	)
	for {
		switch err := r.Next(&f); {
		case err == nil:
			d.Decode(&f, &p)
			each(&p)
		case errors.Is(err, io.EOF), errors.As(err, &cut):
			return
		default:
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// An expected is a line of an expected file, as far as it is compared here.
type expected struct {
	Frame int
	Desc  string
	Built *struct {
		Type        *int
		Code        *int
		SumOK       *bool `json:"sum_ok"`
		PayloadLen  *int  `json:"payload_len"`
		Reassembles any
	}
	Tshark *struct {
		VLANs    []uint16
		IPDepth  int              `json:"ip_depth"`
		IP       *struct{ V int } `json:"ip"`
		ICMP     *struct{ Type *int }
		Rebuilt  int   `json:"reassembled_len"`
		Fragment []int `json:"fragments"`
	}
}

func readExpected(t *testing.T, name string) map[int]expected {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := make(map[int]expected)
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var e expected
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines[e.Frame] = e
	}
	if s.Err() != nil || len(lines) == 0 {
		t.Fatalf("%s: %d lines, %v", name, len(lines), s.Err())
	}
	return lines
}

// TestGroundTruth compares what generated captures hold with what their
// generator meant to put in: the family, type, code, checksum and length of
// each message, VLANs and tunnels.
func TestGroundTruth(t *testing.T) {
	for _, name := range append(vectors(t, "gen/*"), vectors(t, "seeds/*")...) {
		base := strings.TrimSuffix(strings.TrimSuffix(name, ".pcapng"), ".pcap")
		want := readExpected(t, base+".expected.jsonl")
		d := &packet.Decoder{NoReassembly: true}
		seen := 0
		custom := strings.HasSuffix(base, "fmt_pcapng_custom_block") // which counts a block as a frame
		decodeFile(t, name, d, func(p *packet.Packet) {
			seen++
			if e := want[p.Frame.Number]; !custom && e.Built != nil {
				compareTruth(t, filepath.Base(base), &e, p)
			}
		})
		if seen == 0 {
			t.Errorf("%s: no frames", name)
		}
	}
}

func compareTruth(t *testing.T, base string, e *expected, p *packet.Packet) {
	t.Helper()
	b := e.Built
	switch {
	case b.Type == nil:
		return
	case p.Message == nil:
		if !p.IP.Fragment || p.IP.Offset == 0 {
			t.Errorf("%s %d (%s): no message; problems %v", base, e.Frame, e.Desc, p.Problems)
		}
		return
	case int(p.Type) != *b.Type, b.Code != nil && int(p.Code) != *b.Code:
		t.Errorf("%s %d (%s): type %d code %d", base, e.Frame, e.Desc, p.Type, p.Code)
	}
	status := packet.Unverified
	if b.SumOK != nil && !p.IP.Fragment {
		status = packet.Bad
		if *b.SumOK {
			status = packet.Good
		}
	}
	if p.Checksum != status {
		t.Errorf("%s %d (%s): checksum %v, want %v", base, e.Frame, e.Desc, p.Checksum, status)
	}
	if _, _, data, _, ok := p.Echo(); ok && b.PayloadLen != nil && !p.IP.Fragment && len(data) != *b.PayloadLen {
		t.Errorf("%s %d (%s): %d payload bytes, want %d", base, e.Frame, e.Desc, len(data), *b.PayloadLen)
	}
	if ts := e.Tshark; ts != nil && (!slices.Equal(ts.VLANs, p.VLANs) || max(ts.IPDepth, 1) != p.Depth) {
		t.Errorf("%s %d (%s): VLANs %v depth %d, want %v %d", base, e.Frame, e.Desc, p.VLANs, p.Depth, ts.VLANs, ts.IPDepth)
	}
}

// TestReassembly compares what is rebuilt of the generated fragments with what
// their generator says, and with tshark where that is a matter of policy.
func TestReassembly(t *testing.T) {
	// Where our policy is not tshark's: bytes that came first hold, IPv6 drops
	// what overlaps (RFC 5722), datagrams whose fragments disagree on their end
	// are given up, and no fragment is waited for longer than 60 s.
	ours := map[string][]int{
		"v4_frag_teardrop 2": nil,
		"v4_frag_timeout 2":  nil,
		"v6_frag_overlap 2":  nil,
	}
	for _, name := range append(vectors(t, "gen/v?_frag_*"), vectors(t, "seeds/xp_*")...) {
		base := strings.TrimSuffix(strings.TrimSuffix(name, ".pcapng"), ".pcap")
		want := readExpected(t, base+".reassembled.jsonl")
		decodeFile(t, name, &packet.Decoder{}, func(p *packet.Packet) {
			e := want[p.Frame.Number]
			key := filepath.Base(base) + " " + strconv.Itoa(e.Frame)
			fragments := e.Tshark.Fragment
			if list, ok := ours[key]; ok {
				delete(ours, key)
				fragments = list
			}
			switch {
			case !slices.Equal(p.Fragments, fragments):
				t.Errorf("%s (%s): from frames %v, want %v; problems %v", key, e.Desc, p.Fragments, fragments, p.Problems)
			case fragments != nil && p.Rebuilt != e.Tshark.Rebuilt:
				t.Errorf("%s (%s): rebuilt %d bytes, want %d", key, e.Desc, p.Rebuilt, e.Tshark.Rebuilt)
			case fragments != nil && e.Built != nil && e.Built.SumOK != nil && *e.Built.SumOK != (p.Checksum == packet.Good):
				t.Errorf("%s (%s): checksum %v", key, e.Desc, p.Checksum)
			case p.IP.Fragment && p.IP.Offset != 0 && p.Message != nil && p.Fragments == nil:
				t.Errorf("%s (%s): a later fragment is taken for ICMP", key, e.Desc)
			}
		})
	}
	for key := range ours {
		t.Errorf("%s: no such frame", key)
	}
}
