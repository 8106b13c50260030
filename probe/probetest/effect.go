package probetest

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// each returns an effect that treats every delivery alike.
func each(f func(*Packet, *Delivery)) Effect {
	return func(p *Packet, ds []Delivery) []Delivery {
		for i := range ds {
			f(p, &ds[i])
		}
		return ds
	}
}

// Sequence returns an effect that is several, one after the other.
func Sequence(effects ...Effect) Effect {
	if len(effects) == 1 {
		return effects[0]
	}
	return func(p *Packet, ds []Delivery) []Delivery {
		for _, e := range effects {
			ds = e(p, ds)
		}
		return ds
	}
}

// Drop loses the packet, or everything that comes back for it.
func Drop() Effect {
	return func(*Packet, []Delivery) []Delivery { return nil }
}

// Swallow loses the packet before it leaves this host: without an error, and
// without a transmit stamp, as a full queue does to a raw socket.
func Swallow() Effect { return Sequence(Unstamped(), Drop()) }

// Unstamped withholds the transmit stamp.
func Unstamped() Effect {
	return func(p *Packet, ds []Delivery) []Delivery {
		p.NoStamp = true
		return ds
	}
}

// Overflow loses what comes back in this host's receive buffer, and has it
// counted in Reply.Drops.
func Overflow() Effect {
	return each(func(_ *Packet, d *Delivery) { d.Overflow = true })
}

// Delay holds back what comes back by d more; a negative d hurries it.
func Delay(d time.Duration) Effect {
	return each(func(_ *Packet, x *Delivery) { x.After += d })
}

// Jitter holds back what comes back by 0 to d more, at random.
func Jitter(d time.Duration) Effect {
	return each(func(p *Packet, x *Delivery) { x.After += p.net.random(d) })
}

// Duplicate delivers everything n more times, each copy gap after the one
// before it.
func Duplicate(n int, gap time.Duration) Effect {
	return func(_ *Packet, ds []Delivery) []Delivery {
		for _, d := range slices.Clone(ds) {
			for range n {
				d.After += gap
				ds = append(ds, d)
			}
		}
		return ds
	}
}

// AnswerFrom makes what comes back come from another address.
func AnswerFrom(a netip.Addr) Effect {
	return each(func(_ *Packet, d *Delivery) {
		d.Reply.From = a
		if !d.Reply.Kind.Quotes() {
			d.Reply.Dst = a
		}
	})
}

// Corrupt changes the payload of direct answers. See [Flip], [Truncate], [Pad],
// [Insert], [Remove] and [Zero]; change gets a copy, and may keep its length or
// not.
func Corrupt(change func([]byte) []byte) Effect {
	return each(func(_ *Packet, d *Delivery) {
		if d.Reply.Kind.Quotes() {
			return
		}
		b := change(bytes.Clone(d.Reply.Payload))
		d.Reply.Bytes += len(b) - len(d.Reply.Payload)
		d.Reply.Payload = b
	})
}

// Forge adds n answers in the target's name by someone who knows everything
// but the token (of a payload without one: by someone who knows its length),
// offset after the true answer, or before it if offset is negative. Where there
// is no true answer, they come offset after the round trip to the hop.
func Forge(n int, offset time.Duration) Effect {
	return func(p *Packet, ds []Delivery) []Delivery {
		d := trueAnswer(p, ds)
		d.After += offset
		b := bytes.Clone(d.Reply.Payload)
		secret := len(b)
		if !p.explicit {
			secret = min(secret, 8)
		}
		for i := range b[:secret] {
			b[i] = ^b[i]
		}
		d.Reply.Payload = b
		for range n {
			ds = append(ds, d)
		}
		return ds
	}
}

// Replay adds an answer with the payload of an earlier packet to the same host,
// back packets ago, at most 16; nothing if there was none. It comes offset
// after the true answer.
func Replay(back int, offset time.Duration) Effect {
	return func(p *Packet, ds []Delivery) []Delivery {
		if p.host == nil || back < 1 || back > len(p.host.history) {
			return ds
		}
		d := trueAnswer(p, ds)
		d.After += offset
		old := p.host.history[len(p.host.history)-back]
		d.Reply.Bytes += len(old) - len(d.Reply.Payload)
		d.Reply.Payload = old
		return append(ds, d)
	}
}

// trueAnswer returns the direct answer among ds, or one as it would be.
func trueAnswer(p *Packet, ds []Delivery) Delivery {
	for _, d := range ds {
		if !d.Reply.Kind.Quotes() {
			return d
		}
	}
	return Delivery{After: p.RTT, Reply: p.Answer(p.Request.Dst)}
}

// Refuse replaces what comes back by an ICMP error of the hop.
func Refuse(e Error) Effect {
	return func(p *Packet, _ []Delivery) []Delivery {
		return []Delivery{{After: p.RTT, Reply: p.Error(p.Here, e)}}
	}
}

// Redirect adds a redirect of the hop to a gateway (RFC 792; code 0: for the
// network, 1: for the host). IPv6 has none that quotes a probe, hence nothing
// is added.
func Redirect(gateway netip.Addr, code uint8) Effect {
	return notice(Error{redirect4, code}, gateway)
}

// SourceQuench adds a source quench of the hop (RFC 792). IPv6 has none.
func SourceQuench() Effect { return notice(Error{quench4, 0}, netip.Addr{}) }

func notice(e Error, gateway netip.Addr) Effect {
	return func(p *Packet, ds []Delivery) []Delivery {
		if p.Family != icmpx.IPv4 {
			return ds
		}
		r := p.Error(p.Here, e)
		r.Gateway = gateway
		return slices.Insert(ds, 0, Delivery{After: p.RTT, Reply: r})
	}
}

// random returns a time from 0 to d, d excluded.
func (n *Net) random(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(n.rng.Int64N(int64(d)))
}
