package router

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// unhex reads hexadecimal digits with blanks.
func unhex(s string) []byte {
	return must(hex.DecodeString(strings.ReplaceAll(s, " ", "")))
}

// answers hands the engine a frame of the client and returns what leaves.
func answers(t *testing.T, f []byte) [][]byte {
	t.Helper()
	e, err := newEngine(Config{}, testPorts(-1))
	if err != nil {
		t.Fatal(err)
	}
	e.receive(0, 0, f)
	var out [][]byte
	for _, p := range e.due(0, nil) {
		if p.port != 0 {
			t.Errorf("answer left by port %d", p.port)
		}
		out = append(out, append(p.ether[:len(p.ether):len(p.ether)], p.Bytes...))
	}
	return out
}

func TestARP(t *testing.T) {
	ask := "ffffffffffff 020000000000 0806 0001 0800 06 04 0001 020000000000 c000020a 000000000000 c0000201"
	want := unhex("020000000000 020000010000 0806 0001 0800 06 04 0002 020000010000 c0000201 020000000000 c000020a")
	if got := answers(t, unhex(ask)); len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Errorf("got % x\nwant % x", got, want)
	}
	for name, other := range map[string]string{
		"for another address": strings.Replace(ask, "c0000201", "c0000263", 1),
		"a reply":             strings.Replace(ask, "0001 02", "0002 02", 1),
		"cut short":           ask[:len(ask)-2],
		"no Ethernet":         "ffffffffffff",
		"nothing":             "",
	} {
		if got := answers(t, unhex(other)); len(got) != 0 {
			t.Errorf("%s: got % x, want no answer", name, got)
		}
	}
}

// solicitation builds a neighbour solicitation of the client's.
func solicitation(src, dst, target netip.Addr, hopLimit uint8) []byte {
	msg := make([]byte, 32)
	msg[0] = solicitation6
	copy(msg[8:], target.AsSlice())
	copy(msg[24:], []byte{1, 1, 2, 0, 0, 0, 0, 0})
	fixTransport(msg, protoICMPv6, src, dst)
	h := icmpx.IPv6Header{PayloadLen: len(msg), HopLimit: hopLimit, Proto: protoICMPv6, Src: src, Dst: dst}
	f := unhex("3333ff000001 020000000000 86dd")
	return append(append(f, must(h.AppendBinary(nil))...), msg...)
}

func TestNeighbourSolicitation(t *testing.T) {
	group := netip.MustParseAddr("ff02::1:ff00:1")
	ask := solicitation(client6, group, gate6, 255)
	unicast := bytes.Clone(ask)
	copy(unicast, testPorts(-1)[0].MAC)
	for name, f := range map[string][]byte{"multicast": ask, "unicast": unicast} {
		got := answers(t, f)
		if len(got) != 1 {
			t.Fatalf("%s: got % x, want one answer", name, got)
		}
		p := Packet{Bytes: got[0][etherLen:]}
		if err := p.parse(); err != nil || p.Src != gate6 || p.Dst != client6 || p.TTL != 255 || transportSum(&p) != 0 {
			t.Errorf("%s: got %+v (%v)", name, p.Quote, err)
		}
		want := append(unhex("e0000000"), gate6.AsSlice()...)
		want = append(want, unhex("0201 020000010000")...)
		if msg := p.Bytes[p.l4:]; msg[0] != advertisement6 || !bytes.Equal(msg[4:], want) {
			t.Errorf("%s: got % x, want % x", name, msg, want)
		}
	}
	badSum := bytes.Clone(ask)
	badSum[len(badSum)-1]++
	for name, f := range map[string][]byte{
		"for another address": solicitation(client6, group, server6, 255),
		"through a router":    solicitation(client6, group, gate6, 254),
		"without an address":  solicitation(netip.IPv6Unspecified(), group, gate6, 255),
		"wrong checksum":      badSum,
		"cut short":           ask[:len(ask)-20],
	} {
		if got := answers(t, f); len(got) != 0 {
			t.Errorf("%s: got % x, want no answer", name, got)
		}
	}
}

// TestNotForTheRouter sends frames to other hardware addresses: to the
// kernel's, and to a group.
func TestNotForTheRouter(t *testing.T) {
	for _, mac := range []string{"020000000001", "01005e000001", "333300000001", "ffffffffffff"} {
		f := frame(testPorts(-1)[0], echo(mac == "333300000001", 1, 1, 8))
		copy(f, unhex(mac))
		if got := answers(t, f); len(got) != 0 {
			t.Errorf("to %s: got % x, want nothing", mac, got)
		}
	}
}
