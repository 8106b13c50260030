package probetest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// A Packet is a probe on its way, as effects see it. Effects may read all of
// it; of what they write only NoStamp has a meaning.
type Packet struct {
	Request icmpx.Request // as sent; Payload holds the bytes on the wire
	Family  icmpx.Family
	Number  int       // of this packet in the network, from 1
	Size    int       // bytes of the IP packet
	ID      uint16    // IPv4 identification
	Left    time.Time // when it left this host

	// The packet as it reached the hop whose rule is at work, or as it ended.
	Src  netip.Addr // changed by NAT
	TTL  uint8
	TOS  uint8
	Hop  int           // 1: the first router; 0: a rule of the whole network
	Here netip.Addr    // address of the hop
	RTT  time.Duration // between this host and the hop

	NoStamp bool // set: no transmit stamp comes back

	net      *Net
	host     *host
	node     *node
	explicit bool // the payload was given: there is no token
}

// defaultTTL is the TTL of a request that leaves it to the socket.
const defaultTTL = 64

func (n *Net) newPacket(r *icmpx.Request, f icmpx.Family, now time.Time) (*Packet, error) {
	size, payload, err := buildPayload(r, f)
	if err != nil {
		return nil, err
	}
	n.packets++
	p := &Packet{
		Request: *r,
		Family:  f,
		Number:  n.packets,
		Size:    size,
		ID:      uint16(n.packets),
		Left:    now.Add(n.opt.TxDelay),
		Src:     n.source(f),
		TTL:     r.TTL,
		TOS:     uint8(max(r.TOS, 0)),
		net:     n,
		host:    n.lookup(r.Dst),

		explicit: r.Payload != nil,
	}
	p.Request.Payload = payload
	if p.TTL == 0 {
		p.TTL = defaultTTL
	}
	return p, nil
}

// buildPayload returns the size of the whole packet and what it carries.
func buildPayload(r *icmpx.Request, f icmpx.Family) (size int, payload []byte, err error) {
	overhead := f.HeaderLen() + protos[r.Proto].header
	size = r.Size
	if size == 0 {
		size = overhead + len(r.Payload)
	}
	if size < overhead+len(r.Payload) || size > overhead+f.MaxPayload() {
		return 0, nil, fmt.Errorf("send %d bytes of payload in a packet of %d: message too long", len(r.Payload), size)
	}
	payload = make([]byte, size-overhead)
	if r.Payload == nil {
		icmpx.FillPayload(payload, r.Token, r.Pattern)
	}
	copy(payload, r.Payload)
	return size, payload, nil
}

// fragments reports whether the packet may be fragmented on its way. Linux
// sets DF on IPv4 unless told otherwise; IPv6 routers never fragment.
func (p *Packet) fragments() bool {
	return p.Family == icmpx.IPv4 && p.Request.DF == icmpx.DFClear
}

// flowHash is what a router balances by: the addresses, the protocol and the
// ports or identifier, which stay the same within a flow.
func (p *Packet) flowHash(salt uint32) uint64 {
	h := fnv.New64a()
	dst := p.Request.Dst.As16()
	var b [15]byte
	b[0] = byte(p.Request.Proto)
	binary.BigEndian.PutUint32(b[1:], p.Request.Key.Flow)
	binary.BigEndian.PutUint16(b[5:], p.Request.Path)
	if p.Request.Proto == icmpx.ProtoUDP && p.net.opt.Classic {
		binary.BigEndian.PutUint32(b[7:], p.Request.Key.Tag)
	}
	binary.BigEndian.PutUint32(b[11:], salt)
	h.Write(dst[:])
	h.Write(b[:])
	return mix(h.Sum64())
}

// mix spreads a hash, whose low bits are to choose among few (the finalizer of
// splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
