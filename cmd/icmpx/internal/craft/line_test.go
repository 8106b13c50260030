package craft

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestReadLine(t *testing.T) {
	const header, message = "4500001c0001000040010000c0000201c6336401", "0800f7fd00010002"
	line := `{"event":"packet", "frame":7, "x":[1,{"raw":"ff"},"a\"]}"],"ip":{"v":4,"raw":"` + header + `"},"icmp":{"v":4,"quote":{"raw":"00"},"raw":"` + message + "\"}}\r\n"
	l, err := ReadLine(line)
	if err != nil || l.Event != "packet" || l.Frame != 7 || !l.HasICMP {
		t.Fatalf("got %+v, %v", l, err)
	}
	if b, err := l.Packet(); err != nil || hex.EncodeToString(b) != header+message {
		t.Errorf("got %x, %v", b, err)
	}
	for _, text := range []string{
		"", "{", "x", `{"event"}`, `{"event":}`, `{"ip":{"raw":"0"}}`, `{"ip":{"raw":"zz"}}`, "{} {}", `{"a":"`, `{"a":"\`,
		strings.Repeat("[", 100), strings.Repeat(`{"a":`, 100),
	} {
		if l, err := ReadLine(text); err == nil {
			t.Errorf("%q: got %+v", text, l)
		}
	}
}

// TestRebuilt makes a datagram whole of its last fragment's header.
func TestRebuilt(t *testing.T) {
	h := Header{Src: near4, Dst: far4, TTL: 9, ID: 5}
	want, err := h.Packet(make([]byte, 2000))
	if err != nil {
		t.Fatal(err)
	}
	fragment := append([]byte(nil), want[:20]...)
	fragment[2], fragment[3], fragment[6], fragment[7] = 2, 0x18, 0, 0xb9
	fragment[10], fragment[11] = 0, 0
	sum := icmpx.Checksum(fragment)
	fragment[10], fragment[11] = byte(sum>>8), byte(sum)
	l := Line{Header: fragment, Message: make([]byte, 2000), HasICMP: true, Rebuilt: true}
	if b, err := l.Packet(); err != nil || string(b) != string(want) {
		t.Errorf("got %x..., %v; want %x...", b[:min(20, len(b))], err, want[:20])
	}
}
