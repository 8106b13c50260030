package craft

import (
	"bytes"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// An Exchange is a message on its way, and what tells its answers.
type Exchange struct {
	Src, Dst netip.Addr // without zones
	Family   icmpx.Family
	Message  []byte // as sent, at least 4 bytes
}

// Expects reports whether the message asks for an answer.
func (x *Exchange) Expects() bool { return len(answersTo(x.Family, x.Message[0])) > 0 }

// MayFail reports whether an ICMP error may come about the message: none may
// about an error (RFC 1122 section 3.2.2, RFC 4443 section 2.4).
func (x *Exchange) MayFail() bool { return !isError(x.Family, x.Message[0]) }

// answersTo returns the types that answer a type.
func answersTo(f icmpx.Family, typ uint8) []uint8 {
	if f == icmpx.IPv6 {
		switch typ {
		case 128, 133, 135, 139, 141, 144, 146, 148, 160:
			return []uint8{typ + 1}
		case 130:
			return []uint8{131, 143}
		case 152:
			return []uint8{151}
		case 157:
			return []uint8{158}
		}
		return nil
	}
	switch typ {
	case 8:
		return []uint8{0}
	case 10:
		return []uint8{9}
	case 13, 15, 17, 35, 37, 42:
		return []uint8{typ + 1}
	case 33:
		return []uint8{34}
	}
	return nil
}

// Answers reports whether a packet that came in answers the message, or is an
// error about it. Of an answer in fragments it is the one that completes it.
func (x *Exchange) Answers(p *packet.Packet) bool {
	m := p.Message
	if p.IP.Fragment && p.MessageLen == 0 {
		return false
	}
	if p.ICMP != x.Family || len(m) < 8 || !p.IP.Dst.IsMulticast() && p.IP.Dst != x.Src {
		return false
	}
	if isError(x.Family, m[0]) {
		return x.MayFail() && x.quoted(m)
	}
	return bytes.IndexByte(answersTo(x.Family, x.Message[0]), m[0]) >= 0 && x.same(m)
}

// same reports whether an answer carries what identifies the request.
func (x *Exchange) same(m []byte) bool {
	sent := x.Message
	from, to := 0, 0
	switch typ := sent[0]; {
	case x.Family == icmpx.IPv4 && (typ == 8 || typ >= 13 && typ <= 17 || typ == 37), x.Family == icmpx.IPv6 && (typ == 128 || typ == 144 || typ == 146):
		from, to = 4, 8 // identifier and sequence number
		if typ >= 144 {
			to = 6
		}
	case x.Family == icmpx.IPv4 && typ == 42, x.Family == icmpx.IPv6 && typ == 160:
		from, to = 4, 7 // the sequence number has 8 bits
	case x.Family == icmpx.IPv6 && typ == 135:
		from, to = 8, 24 // target
	case x.Family == icmpx.IPv6 && typ == 139:
		from, to = 8, 16 // nonce
	}
	return len(sent) >= to && len(m) >= to && bytes.Equal(sent[from:to], m[from:to])
}

// quoted reports whether an error is about the message: as far as it quotes it,
// but for the checksum, which devices on the way may have changed with it.
func (x *Exchange) quoted(m []byte) bool {
	q, err := icmpx.ParseQuote(m[8:], x.Family)
	if err != nil || q.Dst != x.Dst || int(q.Proto) != x.Family.Protocol() || !q.HasL4 || len(x.Message) < 8 {
		return false
	}
	sent, err := icmpx.ParseQuote(asQuote(x), x.Family)
	return err == nil && q.Type == sent.Type && q.Code == sent.Code && q.ICMPID == sent.ICMPID && q.ICMPSeq == sent.ICMPSeq
}

// asQuote returns the message as an error would quote it.
func asQuote(x *Exchange) []byte {
	h := Header{Src: x.Src, Dst: x.Dst, TTL: 1}
	b, err := h.Packet(x.Message[:min(8, len(x.Message))])
	if err != nil {
		return nil
	}
	return b
}
