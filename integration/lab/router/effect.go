package router

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Drop loses the packet.
func Drop() Effect { return func(*Packet) Verdict { return Gone } }

// Delay holds the packet back by d, while others overtake it: the way to
// reorder packets.
func Delay(d time.Duration) Effect {
	return func(p *Packet) Verdict {
		p.Hold(d)
		return Pass
	}
}

// Duplicate sends n copies behind the packet, each gap after the one before it.
func Duplicate(n int, gap time.Duration) Effect {
	return func(p *Packet) Verdict {
		for i := range n {
			p.Send(p.Bytes, time.Duration(i+1)*gap)
		}
		return Pass
	}
}

// Mark writes the type of service or traffic class.
func Mark(tos uint8) Effect {
	return func(p *Packet) Verdict {
		p.setTOS(tos)
		return Pass
	}
}

// SendFrom makes the packet come from another address of its family.
func SendFrom(a netip.Addr) Effect {
	return func(p *Packet) Verdict {
		if icmpx.FamilyOf(a) == p.Family {
			p.rewrite(p.sourceAt(), a)
		}
		return Pass
	}
}

// Forge answers an echo request in the target's name, or adds answers to a
// reply, by someone who knows everything about it but its payload: n times,
// gap after each other, the first offset after the packet. A negative offset
// holds the packet itself back instead. The payload is the given one, or if
// that is nil as many random bytes as the packet has.
func Forge(payload []byte, n int, offset, gap time.Duration) Effect {
	return func(p *Packet) Verdict {
		b := payload
		if b == nil {
			whole, _ := p.Payload()
			b = make([]byte, len(whole))
			for i := range b {
				b[i] = byte(p.Rand().Uint32())
			}
		}
		p.inject(b, n, offset, gap)
		return Pass
	}
}

// replayDepth is how many payloads Replay remembers.
const replayDepth = 16

// Replay answers an echo request, or adds an answer to a reply, with the
// payload of an earlier packet that the rule chose, back packets ago, at most
// 16; nothing if there was none. Offset is as in Forge.
func Replay(back int, offset time.Duration) Effect {
	return func(p *Packet) Verdict {
		whole, ok := p.Payload()
		if !ok {
			return Pass
		}
		past := &p.rule.payloads
		if back >= 1 && back <= len(*past) {
			p.inject((*past)[len(*past)-back], 1, offset, 0)
		}
		if len(*past) == replayDepth {
			*past = slices.Delete(*past, 0, 1)
		}
		*past = append(*past, bytes.Clone(whole))
		return Pass
	}
}

// inject sends n copies with another payload of the reply that the packet is,
// or that it asks for.
func (p *Packet) inject(payload []byte, n int, offset, gap time.Duration) {
	request := EchoRequest(p)
	if !request && !EchoReply(p) {
		return
	}
	fake := Packet{Bytes: p.reply()}
	if fake.parse() != nil || !fake.SetPayload(payload) {
		return
	}
	for i := range n {
		after := max(offset, 0) + time.Duration(i)*gap
		if request {
			p.Answer(fake.Bytes, after)
		} else {
			p.Send(fake.Bytes, after)
		}
	}
	p.Hold(-offset)
}

// Refuse has the hop send an error, instead of forwarding the packet: v4 for
// an IPv4 packet, v6 for an IPv6 one; nothing for a zero Error.
//
// An error for a packet that is on a link comes from the hop that it left, or
// if it left none, from the first that it would reach. So do those below.
func Refuse(v4, v6 Error) Effect {
	return func(p *Packet) Verdict {
		p.complain(byFamily(p.Family, v4, v6), [4]byte{})
		return Gone
	}
}

// TooBig has the hop claim that the packet is too big for a next hop of that
// MTU in bytes, instead of forwarding it.
func TooBig(mtu int) Effect {
	return func(p *Packet) Verdict {
		p.complain(tooBigError(p.Family), mtuField(p.Family, mtu))
		return Gone
	}
}

// Problem has the hop report a parameter problem (code 0) at an offset of the
// packet, instead of forwarding it.
func Problem(offset uint8) Effect {
	return func(p *Packet) Verdict {
		p.complain(byFamily(p.Family, Error{problem4, 0}, Error{problem6, 0}),
			byFamily(p.Family, [4]byte{0: offset}, [4]byte{3: offset}))
		return Gone
	}
}

// Redirect has the hop send a redirect to a gateway besides (RFC 792; code 0:
// for the network, 1: for the host, 2 and 3: the same for the type of service).
// Only IPv4 has it.
func Redirect(gateway netip.Addr, code uint8) Effect {
	return func(p *Packet) Verdict {
		if p.Family == icmpx.IPv4 && gateway.Is4() {
			p.complain(Error{redirect4, code}, gateway.As4())
		}
		return Pass
	}
}

// SourceQuench has the hop send a source quench besides (RFC 792). Only IPv4
// has it.
func SourceQuench() Effect {
	return func(p *Packet) Verdict {
		if p.Family == icmpx.IPv4 {
			p.complain(Error{quench4, 0}, [4]byte{})
		}
		return Pass
	}
}

// complain has the hop where the packet is send an error.
func (p *Packet) complain(e Error, rest [4]byte) {
	hops := len(p.nodes) - 1
	k := p.Hop
	if p.c%2 == 0 && !p.Back {
		k = max(k-1, 0)
	}
	p.r.refuse(p.nodes[min(k, hops-1)], p, e, rest)
}

func byFamily[T any](f icmpx.Family, v4, v6 T) T {
	if f == icmpx.IPv6 {
		return v6
	}
	return v4
}
