package fingerprint

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

const vectors = "../packet/testdata/vectors"

// observe returns an Observer that has seen a capture.
func observe(t *testing.T, path string) *Observer {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r, err := capfile.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	o := New()
	var d packet.Decoder
	var f packet.Frame
	var p packet.Packet
	for {
		err := r.Next(&f)
		if damage := new(capfile.Damage); errors.Is(err, io.EOF) || errors.As(err, &damage) {
			return o
		}
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(&f, &p)
		o.Add(&p)
	}
}

var (
	client = netip.MustParseAddr("192.0.2.1")
	server = netip.MustParseAddr("198.51.100.7")
	router = netip.MustParseAddr("192.0.2.254")
	start  = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// A world makes packets.
type world struct {
	*Observer
	at    time.Time
	frame int
	ttl   uint8
	df    bool
	ipid  uint32
}

func newWorld() *world { return &world{Observer: New(), at: start, ttl: 64} }

// message returns an ICMP message of one family; its checksum is not looked at.
func message(typ, code uint8, id, seq uint16, data string) []byte {
	return append([]byte{typ, code, 0, 0, byte(id >> 8), byte(id), byte(seq >> 8), byte(seq)}, data...)
}

// send adds a packet.
func (w *world) send(src, dst netip.Addr, msg []byte) []Finding {
	return w.frameOf(packet.LinkRaw, nil, src, dst, msg)
}

func (w *world) frameOf(link packet.LinkType, frame []byte, src, dst netip.Addr, msg []byte) []Finding {
	w.frame++
	p := packetOf(src, dst, msg)
	p.Frame = &packet.Frame{Number: w.frame, Time: w.at, Link: link, Data: frame}
	p.IP.TTL, p.IP.DF, p.IP.ID = w.ttl, w.df, w.ipid
	return w.Add(&p)
}

// packetOf returns a packet with a message; its type says nothing of the family.
func packetOf(src, dst netip.Addr, msg []byte) packet.Packet {
	family := icmpx.FamilyOf(src)
	p := packet.Packet{
		Frame: &packet.Frame{Number: 1, Link: packet.LinkRaw}, Depth: 1,
		IP:   packet.IP{Family: family, Src: src, Dst: dst, TTL: 64, Protocol: uint8(family.Protocol())},
		ICMP: family, Message: msg, MessageLen: len(msg), Type: msg[0],
	}
	if len(msg) > 1 {
		p.Code = msg[1]
	}
	return p
}

// count returns the bytes from one to another.
func count(from, to byte) string {
	var b []byte
	for c := from; c <= to; c++ {
		b = append(b, c)
	}
	return string(b)
}

// codesOf returns the codes of findings.
func codesOf(list []Finding) []string {
	var words []string
	for i := range list {
		words = append(words, list[i].Code)
	}
	return words
}
