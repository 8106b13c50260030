package render

import (
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// A PacketTree renders decoded packets for people who want to see every field:
// one line each, "name: value", indented by two spaces for each level. Names do
// not change, so that the lines can be searched for; numbers stand before the
// words that explain them. A line that begins with "!" says what is wrong with
// what stands above it.
type PacketTree struct {
	// Name returns the name of an address, "" if there is none; nil: addresses
	// alone.
	Name func(netip.Addr) string
}

// AppendPacket appends the tree of a packet, and what was found odd about it.
func (t *PacketTree) AppendPacket(b []byte, p *packet.Packet, findings []Finding) []byte {
	w := tree{b: b, name: t.Name}
	w.frame(p)
	w.depth++
	if p.IP.Family != 0 {
		w.header(p)
	}
	switch {
	case p.ICMP != 0:
		w.message(p)
	case p.IP.Fragment:
		w.heading("fragment", span(&p.IP))
	case p.IP.Family != 0 && len(p.IP.Payload) > 0:
		w.begin("payload")
		w.b = appendProtocolNumber(w.b, uint64(p.IP.Protocol))
		w.end()
		w.nested(func() { w.dataLines(p.IP.Payload) })
	}
	for i := range p.Problems {
		w.wrong(p.Problems[i].Text)
	}
	for i := range findings {
		w.begin("finding")
		w.b = AppendSafe(w.b, findings[i].Text)
		w.end()
	}
	return w.b
}

// A tree is a view that is being written.
type tree struct {
	b     []byte
	depth int
	name  func(netip.Addr) string

	data     []byte // what the fields' offsets count in
	problems []icmpx.ParseError
	told     int // of problems: they are shown in order of their places

	family    icmpx.Family // of the message, or of the ICMP in its quote
	typ, code uint8        // of the message
	in, outer string       // the group whose fields are written, and the group around that
	kind      uint64       // the last field "type" within it
	sums      sums
	dissected *icmpx.Dissection
}

// begin begins a line.
func (w *tree) begin(name string) {
	w.indent()
	w.b = append(append(w.b, name...), ':', ' ')
}

func (w *tree) indent() {
	for range w.depth {
		w.b = append(w.b, ' ', ' ')
	}
}

func (w *tree) end() { w.b = append(w.b, '\n') }

// heading appends a line that others belong to.
func (w *tree) heading(name, text string) {
	w.indent()
	w.b = append(append(w.b, name...), ':')
	if text != "" {
		w.b = append(append(w.b, ' '), text...)
	}
	w.end()
}

func (w *tree) nested(write func()) {
	w.depth++
	write()
	w.depth--
}

// wrong appends what is wrong. The text comes from the program, or from the
// capture: it is escaped.
func (w *tree) wrong(text string) {
	w.indent()
	w.b = AppendSafe(append(w.b, '!', ' '), text)
	w.end()
}

// stampFormat is how a tree writes times, in UTC.
const stampFormat = "2006-01-02 15:04:05.000000000"

// frame appends what the capture says of the frame, and the link layer in brief.
func (w *tree) frame(p *packet.Packet) {
	f := p.Frame
	w.indent()
	w.b = strconv.AppendInt(append(w.b, "frame "...), int64(f.Number), 10)
	w.b = append(appendCount(append(w.b, ": "...), f.Len, "byte"), ", "...)
	if f.Time.IsZero() {
		w.b = append(w.b, "no time"...)
	} else {
		w.b = append(f.Time.UTC().AppendFormat(w.b, stampFormat), " UTC"...)
	}
	w.end()
	w.nested(func() {
		if len(f.Data) < f.Len {
			w.begin("captured")
			w.b = appendCount(w.b, len(f.Data), "byte")
			w.end()
		}
		w.place(f)
		w.link(p)
		for _, c := range f.Comments {
			w.begin("comment")
			w.b = AppendSafe(w.b, c)
			w.end()
		}
	})
}

// place appends where the frame was captured, if the capture says so.
func (w *tree) place(f *packet.Frame) {
	if f.IfaceName == "" && f.Direction == packet.DirectionUnknown {
		return
	}
	w.begin("interface")
	if hasInterface(f) {
		w.b = appendInterface(w.b, f)
	} else {
		w.b = append(w.b, '?')
	}
	switch f.Direction {
	case packet.Incoming:
		w.b = append(w.b, ", incoming"...)
	case packet.Outgoing:
		w.b = append(w.b, ", outgoing"...)
	}
	w.end()
}

// link appends the link layer: its name, Ethernet addresses and VLANs.
func (w *tree) link(p *packet.Packet) {
	f := p.Frame
	w.begin("link")
	w.b = append(w.b, linkName(f.Link)...)
	if f.Link == packet.LinkEthernet && len(f.Data) >= 12 {
		w.b = appendColons(append(w.b, ", "...), f.Data[6:12])
		w.b = appendColons(append(w.b, " > "...), f.Data[:6])
	}
	for _, id := range p.VLANs {
		w.b = strconv.AppendInt(append(w.b, ", VLAN "...), int64(id), 10)
	}
	w.end()
	if p.Depth > 1 {
		w.begin("tunnel")
		w.b = strconv.AppendInt(w.b, int64(p.Depth), 10)
		w.b = append(w.b, " IP headers, of which the last is shown"...)
		w.end()
	}
}

func linkName(l packet.LinkType) string {
	switch l {
	case packet.LinkNull, packet.LinkLoop:
		return "BSD loopback"
	case packet.LinkEthernet:
		return "Ethernet"
	case packet.LinkSLIP:
		return "SLIP"
	case packet.LinkPPP:
		return "PPP"
	case packet.LinkRawOld, packet.LinkRaw, packet.LinkIPv4, packet.LinkIPv6:
		return "none, raw IP"
	case packet.LinkFrame:
		return "Frame Relay"
	case packet.LinkCooked:
		return "Linux cooked capture"
	case packet.LinkARCnet:
		return "ARCnet"
	case packet.LinkIPoIB:
		return "IP over InfiniBand"
	case packet.LinkCookedV2:
		return "Linux cooked capture, version 2"
	case packet.LinkBrcm, packet.LinkBrcmLead:
		return "Ethernet with a Broadcom tag"
	case packet.LinkDSA, packet.LinkEDSA:
		return "Ethernet with a Marvell tag"
	case packet.LinkICMP, packet.LinkICMP6:
		return "none, bare ICMP"
	}
	return "type " + strconv.Itoa(int(l))
}

// header appends the IP header.
func (w *tree) header(p *packet.Packet) {
	h := &p.IP
	w.indent()
	w.b = append(append(w.b, h.Family.String()...), ": "...)
	w.b = w.addr(w.b, h.Src)
	w.b = w.addr(append(w.b, " > "...), h.Dst)
	w.end()
	d := icmpx.DissectHeader(h.Family, h.Header)
	w.read(h.Header, &d)
	w.sums = sums{header: h.Checksum}
	w.nested(func() {
		w.fields(d.Fields, "header")
		w.remaining()
	})
}

// addr appends an address with its name, if it has one.
func (w *tree) addr(b []byte, a netip.Addr) []byte {
	b = AppendAddr(b, a)
	if w.name != nil && a.IsValid() {
		if name := w.name(a); name != "" {
			b = append(AppendName(append(b, " ("...), name), ')')
		}
	}
	return b
}

// span says which part of its datagram a fragment is, by its header.
func span(h *packet.IP) string {
	n := max(h.Length-len(h.Header), 0)
	text := strconv.Itoa(n) + " bytes from byte " + strconv.Itoa(h.Offset) + " of a datagram"
	if h.MF {
		return text + ", more follow"
	}
	return text + ", the last"
}
