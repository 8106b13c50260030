package render

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A SendStart says what is sent. Addr is the zero Addr if packets are shown as
// they come from standard input.
type SendStart struct {
	Target     string // as given
	Addr       netip.Addr
	Source     netip.Addr
	Type, Code uint8
	Count      int // how often
	Bytes      int // of the IP packet
	DryRun     bool
}

// AppendSendStart appends the event that opens a run of send.
func AppendSendStart(b []byte, s *SendStart, now time.Time) []byte {
	o := event(b, "start")
	o.int("schema", Schema)
	o.str("command", "send")
	if s.Addr.IsValid() {
		f := icmpx.FamilyOf(s.Addr)
		o.str("target", s.Target)
		o.addr("addr", s.Addr)
		o.str("family", familyWord(f))
		o.addr("source", s.Source)
		o.int("type", int64(s.Type))
		o.int("code", int64(s.Code))
		o.str("name", icmpx.Describe(f, s.Type, s.Code))
		o.int("packet_bytes", int64(s.Bytes))
		o.int("count", int64(s.Count))
	}
	o.bool("dry_run", s.DryRun)
	o.time("time", now)
	return o.line()
}

// AppendSendSummary appends the event that closes a run of send.
func AppendSendSummary(b []byte, sent, received int) []byte {
	o := event(b, "summary")
	o.int("sent", int64(sent))
	o.int("received", int64(received))
	return o.line()
}

// AppendReply appends a packet that answers one that was sent, as AppendPacket
// does, but for the name of the event.
func (j *PacketJSON) AppendReply(b []byte, p *packet.Packet) []byte {
	return j.appendPacket(event(b, "reply"), p, nil)
}

// A SendText renders what send does for people.
type SendText struct{ tree PacketTree }

// AppendStart appends the first line: what goes where.
func (*SendText) AppendStart(b []byte, s *SendStart) []byte {
	if !s.Addr.IsValid() {
		return b
	}
	b = append(b, "SEND "...)
	b = append(b, icmpx.Describe(icmpx.FamilyOf(s.Addr), s.Type, s.Code)...)
	b = strconv.AppendUint(append(b, " ("...), uint64(s.Type), 10)
	b = strconv.AppendUint(append(b, '/'), uint64(s.Code), 10)
	b = append(AppendSafe(append(b, ") to "...), s.Target), " ("...)
	b = AppendAddr(b, s.Addr)
	b = AppendAddr(append(b, ") from "...), s.Source)
	b = append(appendCount(append(b, ", "...), s.Bytes, "byte"), " of packet"...)
	if s.Count > 1 {
		b = append(strconv.AppendInt(append(b, ", "...), int64(s.Count), 10), " times"...)
	}
	if s.DryRun {
		b = append(b, "; not sent"...)
	}
	return append(b, '\n')
}

// AppendPacket appends the bytes and the fields of a packet that is sent.
func (t *SendText) AppendPacket(b []byte, p *packet.Packet) []byte {
	return t.appendBoth(b, p)
}

// AppendReply appends the bytes and the fields of an answer.
func (t *SendText) AppendReply(b []byte, p *packet.Packet) []byte {
	b = append(b, "\nREPLY "...)
	if len(p.Message) >= 2 {
		b = append(b, icmpx.Describe(p.ICMP, p.Type, p.Code)...)
	}
	b = append(AppendAddr(append(b, " from "...), p.IP.Src), '\n')
	return t.appendBoth(b, p)
}

func (t *SendText) appendBoth(b []byte, p *packet.Packet) []byte {
	return t.tree.AppendPacket(AppendHex(b, p, HexPacket), p, nil)
}

// AppendSummary appends the last line.
func (*SendText) AppendSummary(b []byte, sent, received int) []byte {
	b = append(strconv.AppendInt(append(b, '\n'), int64(sent), 10), " sent, "...)
	return append(strconv.AppendInt(b, int64(received), 10), " received\n"...)
}
