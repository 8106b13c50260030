package compare

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A Mark is what is kept of a packet at one of the points. A message that came
// in fragments is marked once, in the frame that completes it.
type Mark struct {
	Frame      int
	Time       time.Time // by the clock of its own capture
	Src, Dst   netip.Addr
	Family     icmpx.Family // of the ICMP
	Type, Code uint8
	Query      bool   // it has an identifier and a sequence number
	ID, Seq    uint16 // of a query, or of that which an error quotes
	TTL, TOS   uint8
	DF         bool
	IPID       uint32
	Len        int  // bytes of the message
	Fragments  int  // frames that it was rebuilt from; 0 if it came whole
	Bad        bool // its checksum is wrong

	at      int64  // nanoseconds by the clock of the first capture
	iface   int    // of its frame
	body    uint64 // hash of all of the message but checksum and identifier
	whole   bool   // body is of the whole message
	isError bool
	stale   bool // an error that is not for the sender of what it quotes
	plain   bool // body and identification say little: many packets may have the same

	// Of an error what it quotes, the other way round: an error belongs to the
	// answers.
	flowSrc, flowDst netip.Addr

	keys        [kinds]uint64
	quotesQuery bool // an error about a query: ID and Seq are what it quotes
	quotedType  uint8

	again int // frame of the same capture that has the same packet; 0: none
}

// A kind is a way to know a packet again, the surest first.
type kind uint8

const (
	byAll     kind = iota // everything that a router leaves alone
	byNAT                 // what a translator of addresses leaves alone
	byName                // addresses, identifier and sequence number: the rest may be changed
	byPayload             // type, sequence number and payload
	kinds
)

// How much of a message its keys are made of: what captures that keep the
// beginning of packets alone still have.
const (
	keyPayload = 32 // of a query
	keyQuote4  = 32 // of an error from its second word on: that, an IP header and 8 bytes
	keyQuote6  = 52
)

// set reads p into m, and reports whether it is a whole ICMP message, or the
// beginning of one that was cut by the capture.
func (m *Mark) set(p *packet.Packet) bool {
	if len(p.Message) < 8 || p.IP.Family == 0 || p.Frame.Time.IsZero() || p.Partial {
		return false
	}
	*m = Mark{
		Frame: p.Frame.Number, Time: p.Frame.Time, Src: p.IP.Src, Dst: p.IP.Dst,
		Family: p.ICMP, Type: p.Type, Code: p.Code, TTL: p.IP.TTL, TOS: p.IP.TOS, DF: p.IP.DF, IPID: p.IP.ID,
		Len: max(p.MessageLen, len(p.Message)), Fragments: len(p.Fragments), Bad: p.Checksum == packet.Bad,
		iface: p.Frame.Iface, whole: len(p.Message) >= p.MessageLen, flowSrc: p.IP.Src, flowDst: p.IP.Dst,
	}
	if p.IP.Family == icmpx.IPv6 {
		m.IPID = 0 // of a fragment header, which does not survive elsewhere
	}
	switch {
	case isQuery(p.ICMP, p.Type):
		m.query(p.Message)
	case isError(p.ICMP, p.Type):
		m.quote(p.Message)
	default:
		m.other(p.Message)
	}
	return true
}

// isQuery reports whether a message has an identifier and a sequence number.
func isQuery(f icmpx.Family, typ uint8) bool {
	if f == icmpx.IPv6 {
		return typ == 128 || typ == 129 || typ == 160 || typ == 161
	}
	switch typ {
	case 0, 8, 13, 14, 15, 16, 17, 18, 42, 43:
		return true
	}
	return false
}

// isError reports whether a message quotes the packet that it is about.
func isError(f icmpx.Family, typ uint8) bool {
	if f == icmpx.IPv6 {
		return typ >= 1 && typ <= 4
	}
	switch typ {
	case 3, 4, 5, 11, 12:
		return true
	}
	return false
}

// names returns the hash of what kind of packet this is.
func (m *Mark) names() hash {
	return newHash().word(uint64(m.Family)<<16 | uint64(m.Type)<<8 | uint64(m.Code))
}

func (m *Mark) query(msg []byte) {
	m.Query = true
	m.ID, m.Seq = binary.BigEndian.Uint16(msg[4:]), binary.BigEndian.Uint16(msg[6:])
	data := msg[8:]
	m.body = uint64(newHash().bytes(data).sum())
	head := data[:min(len(data), keyPayload)]
	m.plain = isPlain(head)
	named := m.names().addr(m.Src).addr(m.Dst).word(uint64(m.ID)<<16 | uint64(m.Seq))
	free := m.names().word(uint64(m.Seq)).word(uint64(m.Len)).bytes(head)
	m.keys = [kinds]uint64{
		byAll:     named.word(uint64(m.IPID)).word(uint64(m.Len)).bytes(head).sum(),
		byNAT:     free.word(uint64(m.IPID)).sum(),
		byName:    named.sum(),
		byPayload: free.sum(),
	}
}

func (m *Mark) quote(msg []byte) {
	m.isError = true
	m.body = newHash().bytes(msg[4:]).sum()
	size := keyQuote4
	if m.Family == icmpx.IPv6 {
		size = keyQuote6
	}
	head := msg[4:min(len(msg), 4+size)]
	ends := m.names().addr(m.Src).addr(m.Dst)
	q, err := icmpx.ParseQuote(msg[8:], m.Family)
	if err != nil {
		m.plain = true
		free := m.names().bytes(head)
		m.keys = [kinds]uint64{byAll: ends.word(uint64(m.IPID)).bytes(head).sum(), byName: ends.sum(), byNAT: free.word(uint64(m.IPID)).sum(), byPayload: free.sum()}
		return
	}
	m.flowSrc, m.flowDst, m.stale = q.Dst, q.Src, q.Src != m.Dst
	named := ends.addr(q.Src).addr(q.Dst).word(uint64(q.ID)<<16 | uint64(q.Proto)).word(uint64(q.SrcPort)<<16 | uint64(q.DstPort)).
		word(uint64(q.ICMPID)<<16 | uint64(q.ICMPSeq)).word(uint64(q.Seq))
	free := m.names().word(uint64(q.ID)<<16 | uint64(q.Proto)).word(uint64(q.TotalLen)<<16 | uint64(q.ICMPSeq)).word(uint64(q.Seq))
	m.plain = q.ID == 0 && q.Seq == 0
	if q.HasL4 && int(q.Proto) == m.Family.Protocol() && isQuery(m.Family, q.Type) {
		m.quotesQuery, m.quotedType, m.ID, m.Seq = true, q.Type, q.ICMPID, q.ICMPSeq
	}
	m.keys = [kinds]uint64{
		byAll:     named.word(uint64(m.IPID)).bytes(head).sum(),
		byNAT:     free.word(uint64(m.IPID)).sum(),
		byName:    named.sum(),
		byPayload: free.sum(),
	}
}

// other marks a message that is neither: it can be known again unchanged alone.
func (m *Mark) other(msg []byte) {
	m.plain = true
	m.body = newHash().bytes(msg[4:]).sum()
	all := m.names().addr(m.Src).addr(m.Dst).word(uint64(m.IPID)).word(uint64(m.Len)).
		bytes(msg[4:min(len(msg), 4+keyPayload)]).sum()
	m.keys = [kinds]uint64{byAll: all, byNAT: ^all, byName: ^all, byPayload: ^all}
}

// isPlain reports whether a payload is one of those that everybody sends:
// shorter than 8 bytes, or little else than a series in which each byte is as
// far from the one before.
func isPlain(b []byte) bool {
	if len(b) < 8 {
		return true
	}
	step, other := b[1]-b[0], 0
	for i := 2; i < len(b); i++ {
		if b[i]-b[i-1] != step {
			other++
		}
	}
	return other < 3
}

// mayBe reports whether two marks of a key of kind k may be of one packet.
func (m *Mark) mayBe(o *Mark, k kind) bool {
	if m.Family != o.Family || m.Type != o.Type || m.Code != o.Code {
		return false
	}
	partly := m.Src == o.Src || m.Dst == o.Dst
	switch k {
	case byNAT:
		return !m.plain || partly || m.IPID != 0
	case byPayload:
		return !m.plain
	}
	return true
}
