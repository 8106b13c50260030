package render

import (
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A PacketJSON renders the events of a capture as one JSON object per line.
// docs/json.md describes them, docs/json.schema.json checks them. It is for one
// goroutine.
type PacketJSON struct {
	// Raw adds the bytes of the IP header and of the ICMP message, so that the
	// packet can be made again from its line.
	Raw bool

	clock clock
}

// AppendPacket appends the event of one packet, and what was found odd about
// it. An echo costs no allocation.
func (j *PacketJSON) AppendPacket(b []byte, p *packet.Packet, findings []Finding) []byte {
	return j.appendPacket(event(b, "packet"), p, findings)
}

// appendPacket ends an event that describes a packet.
func (j *PacketJSON) appendPacket(o object, p *packet.Packet, findings []Finding) []byte {
	j.frame(&o, p)
	if p.IP.Family != 0 && len(p.IP.Header) > 0 {
		o.key("ip")
		o.b = j.appendIP(o.b, &p.IP)
		if p.Depth > 1 {
			o.int("ip_depth", int64(p.Depth))
		}
	}
	var wrong problems
	if p.ICMP != 0 {
		o.key("icmp")
		o.b = j.appendMessage(o.b, p, &wrong)
	}
	o.malformed(p, &wrong)
	if p.Fragments != nil {
		o.key("fragments")
		o.b = appendInts(o.b, p.Fragments)
		o.int("reassembled_len", int64(p.Rebuilt))
	}
	if len(findings) > 0 {
		o.findings("findings", findings)
	}
	return o.line()
}

// frame appends what the capture says of the frame.
func (j *PacketJSON) frame(o *object, p *packet.Packet) {
	f := p.Frame
	o.int("frame", int64(f.Number))
	j.clock.append(o, "time", f.Time)
	o.int("len", int64(f.Len))
	o.int("caplen", int64(len(f.Data)))
	if f.Iface != 0 && !f.IfaceCooked {
		o.int("iface", int64(f.Iface))
	}
	if f.IfaceName != "" {
		o.str("iface_name", f.IfaceName)
	}
	switch f.Direction {
	case packet.Incoming:
		o.str("direction", "in")
	case packet.Outgoing:
		o.str("direction", "out")
	}
	if len(f.Comments) > 0 {
		o.str("comment", strings.Join(f.Comments, "\n"))
	}
	if len(p.VLANs) > 0 {
		o.key("vlans")
		o.b = append(o.b, '[')
		for i, v := range p.VLANs {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.b = strconv.AppendUint(o.b, uint64(v), 10)
		}
		o.b = append(o.b, ']')
	}
}

// appendIP appends the header that is nearest to the message.
func (j *PacketJSON) appendIP(b []byte, ip *packet.IP) []byte {
	o := begin(b)
	if icmpx.Family(ip.Header[0]>>4) == ip.Family {
		o.ipHeader(ip.Family, ip.Header, statusWord(ip.Checksum))
	} else {
		o.int("v", int64(ip.Family)) // as the link says; the bytes are none of it
	}
	if j.Raw {
		o.hex("raw", ip.Header)
	}
	return o.end()
}

// statusWord returns the word for what was found of a checksum.
func statusWord(s packet.Status) string {
	switch s {
	case packet.Good:
		return "good"
	case packet.Bad:
		return "bad"
	case packet.Absent:
		return "absent"
	case packet.Unfinished:
		return "unfinished"
	}
	return "unverified"
}

// problems are what the dissection of a message found wrong.
type problems []icmpx.ParseError

// malformed appends what is wrong with the packet, around its message and
// within. Checksums are left out: the keys sum_status say it.
func (o *object) malformed(p *packet.Packet, within *problems) {
	if len(p.Problems) == 0 && len(*within) == 0 {
		return
	}
	o.key("malformed")
	o.b = append(o.b, '[')
	empty := len(o.b)
	for _, w := range p.Problems {
		o.between(empty)
		c := begin(o.b)
		c.str("code", w.Code)
		c.str("text", w.Text)
		o.b = c.end()
	}
	for i := range *within {
		w := &(*within)[i]
		o.between(empty)
		c := begin(o.b)
		c.str("code", problemCode(w.Err))
		c.str("text", w.Field+": "+w.Err.Error())
		c.int("offset", int64(w.Offset))
		o.b = c.end()
	}
	o.b = append(o.b, ']')
}

// between appends a comma, unless the list that begins at empty is still that.
func (o *object) between(empty int) {
	if len(o.b) > empty {
		o.b = append(o.b, ',')
	}
}

// problemCode returns the word for an error of package icmpx.
func problemCode(err error) string {
	switch err {
	case icmpx.ErrTruncated:
		return "truncated"
	case icmpx.ErrLength:
		return "length"
	case icmpx.ErrChecksum:
		return "checksum"
	case icmpx.ErrReserved:
		return "reserved"
	case icmpx.ErrVersion:
		return "version"
	}
	return "limit"
}
