package main

import (
	"encoding/binary"
	"strings"
	"testing"
)

// rawCapture returns a pcap file of IP packets, a millisecond apart.
func rawCapture(packets [][]byte) []byte {
	le := binary.LittleEndian
	b := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0}
	for i, p := range packets {
		b = le.AppendUint32(le.AppendUint32(b, 1700000000+uint32(i/1000)), uint32(i%1000)*1000)
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(p))), uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// TestDecodeGivenUp reads more unfinished datagrams than there is room for, and
// is told so.
func TestDecodeGivenUp(t *testing.T) {
	fragment := func(id int) []byte {
		b := append([]byte{0x45, 0, 0, 0, byte(id >> 8), byte(id), 0x20, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}, make([]byte, 1400)...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		return b
	}
	var few, many [][]byte
	for id := range 3000 {
		many = append(many, fragment(id))
	}
	few = many[:100]
	for _, test := range []struct {
		packets [][]byte
		told    bool
	}{{few, false}, {many, true}} {
		w := &world{stdin: string(rawCapture(test.packets))}
		if code := w.run(t, "decode", "-"); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		if told := strings.Contains(w.stderr.String(), "datagrams in fragments were given up for want of memory\n"); told != test.told {
			t.Errorf("%d fragments: standard error %q", len(test.packets), w.stderr.String())
		}
	}
}

// TestDecodeNoHex reads text that holds no packet.
func TestDecodeNoHex(t *testing.T) {
	for _, text := range []string{"", "\n\n", "nothing of the kind\nzz zz\n"} {
		w := &world{stdin: text}
		if code := w.run(t, "decode", "--hex", "-"); code != exitError || w.stderr.String() != "icmpx: error: standard input: no line holds bytes in hex\n" {
			t.Errorf("%q: exit code %d, standard error %q", text, code, w.stderr.String())
		}
	}
}
