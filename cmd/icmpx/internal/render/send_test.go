package render

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
	"github.com/icmpx/icmpx/probe"
)

// sentPacket is an echo request from 192.0.2.2 to 192.0.2.1.
func sentPacket(t *testing.T) *packet.Packet {
	t.Helper()
	b, err := hex.DecodeString("4500001e000100004001f6dac0000202c0000201" + "08008f8e000700016869")
	if err != nil {
		t.Fatal(err)
	}
	var d packet.Decoder
	p := new(packet.Packet)
	d.Decode(&packet.Frame{Number: 1, Len: len(b), Data: b, Link: packet.LinkRaw}, p)
	return p
}

var sendExample = SendStart{
	Target: "a.example", Addr: netip.MustParseAddr("192.0.2.1"), Source: netip.MustParseAddr("192.0.2.2"), Type: 8, Count: 2, Bytes: 30,
}

// sendLines are all events of send.
func sendLines(t *testing.T) []byte {
	t.Helper()
	p := sentPacket(t)
	j := PacketJSON{Raw: true}
	b := AppendSendStart(nil, &sendExample, time.Unix(1, 2))
	b = AppendSendStart(b, &SendStart{DryRun: true}, time.Unix(1, 2))
	b = j.AppendPacket(b, p, nil)
	b = j.AppendReply(b, p)
	return AppendSendSummary(b, 2, 1)
}

func TestSendJSON(t *testing.T) {
	b := sendLines(t)
	var events []string
	for line := range strings.Lines(string(b)) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, v["event"].(string))
	}
	if got := strings.Join(events, " "); got != "start start packet reply summary" {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(string(b), `"raw":"08008f8e000700016869"`) {
		t.Errorf("no raw message in %s", b)
	}
}

func TestSendText(t *testing.T) {
	var text SendText
	p := sentPacket(t)
	got := string(text.AppendSummary(text.AppendReply(text.AppendPacket(text.AppendStart(nil, &sendExample), p), p), 2, 1))
	for _, want := range []string{
		"SEND Echo Request (8/0) to a.example (192.0.2.1) from 192.0.2.2, 30 bytes of packet, 2 times\n",
		"\t0x0010:  c000 0201 0800 8f8e 0007 0001 6869", "    identifier: 7 (0x0007)\n",
		"\nREPLY Echo Request from 192.0.2.2\n", "\n2 sent, 1 received\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if b := text.AppendStart(nil, &SendStart{}); len(b) > 0 {
		t.Errorf("got %q", b)
	}
	dry := sendExample
	dry.DryRun = true
	if b := text.AppendStart(nil, &dry); !strings.HasSuffix(string(b), "; not sent\n") {
		t.Errorf("got %q", b)
	}
}

// TestQueryReplies shows what replies to other queries than echo say.
func TestQueryReplies(t *testing.T) {
	midnight := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name       string
		r          icmpx.Reply
		text, json string
	}{
		{"timestamp", icmpx.Reply{Kind: icmpx.KindTimestampReply, Payload: words(1000, 1007, 1009), At: midnight.Add(1012 * time.Millisecond)},
			" there=7ms back=3ms clock=2ms", `"there_ns":7000000,"back_ns":3000000,"clock_ns":2000000`},
		{"over midnight", icmpx.Reply{Kind: icmpx.KindTimestampReply, Payload: words(day-5, 5, 5), At: midnight.Add(3 * time.Millisecond)},
			" there=10ms back=-2ms clock=6ms", `"there_ns":10000000,"back_ns":-2000000`},
		{"nonstandard", icmpx.Reply{Kind: icmpx.KindTimestampReply, Payload: words(1, 1<<31, 1<<31), At: midnight},
			" (times are not milliseconds since midnight)", `"there_ns":null,"back_ns":null,"clock_ns":null`},
		{"short", icmpx.Reply{Kind: icmpx.KindTimestampReply, Payload: words(1, 2), At: midnight}, "", ""},
		{"mask", icmpx.Reply{Kind: icmpx.KindMaskReply, Payload: []byte{255, 255, 255, 0}}, " mask=255.255.255.0", `"mask":"255.255.255.0"`},
		{"extended echo", icmpx.Reply{Kind: icmpx.KindExtEchoReply, Type: 43, State: 2<<5 | 0x07, From: netip.MustParseAddr("192.0.2.1")},
			" interface=active,ipv4,ipv6 neighbor=2", `"state":2,"active":true,"ipv4":true,"ipv6":true`},
		{"no interface", icmpx.Reply{Kind: icmpx.KindExtEchoReply, Type: 43, Code: 2, From: netip.MustParseAddr("192.0.2.1")},
			" Extended Echo Reply: no such interface", `"code":2`},
		{"echo", icmpx.Reply{Kind: icmpx.KindEchoReply}, "", ""},
	}
	s := loadSchema(t)
	for _, tt := range tests {
		var text Text
		if got := string(text.appendQuery(nil, &tt.r)); got != tt.text {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.text)
		}
		if tt.r.At.IsZero() {
			tt.r.At = midnight
		}
		tt.r.TTL, tt.r.Bytes, tt.r.From = 64, 20, netip.MustParseAddr("192.0.2.1")
		line := JSON{}.AppendEvent(nil, &Host{Name: "a"}, &probe.PingEvent{Kind: probe.PingReply, Seq: 1, Result: &probe.Result{Reply: tt.r}}, midnight)
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil || !strings.Contains(string(line), tt.json) {
			t.Errorf("%s: got %s, %v; want %s", tt.name, line, err, tt.json)
		}
		if bad := s.check(s.root, v); bad != "" {
			t.Errorf("%s: %s: %s", tt.name, line, bad)
		}
	}
	verbose := Text{Verbose: true}
	if got := string(verbose.appendQuery(nil, &tests[0].r)); !strings.HasSuffix(got, " originate=1000 receive=1007 transmit=1009") {
		t.Errorf("got %q", got)
	}
}

// words returns numbers as they are on the wire.
func words(list ...uint32) []byte {
	var b []byte
	for _, n := range list {
		b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return b
}
