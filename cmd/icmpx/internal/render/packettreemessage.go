package render

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/packet"
)

// maxTold is how many problems of one message are shown.
const maxTold = 32

// message appends the ICMP message.
func (w *tree) message(p *packet.Packet) {
	m := p.Message
	w.family, w.typ, w.code = p.ICMP, p.Type, p.Code
	name, title := "ICMP", ""
	if p.ICMP == icmpx.IPv6 {
		name = "ICMPv6"
	}
	if len(m) > 1 {
		title = icmpx.Describe(p.ICMP, p.Type, p.Code)
	}
	w.heading(name, title)
	d := icmpx.Dissect(p.ICMP, m, icmpx.DissectOptions{Len: wholeLen(p)})
	if firstFragment(p) || len(m) < p.MessageLen {
		d.Problems = slices.DeleteFunc(d.Problems, func(e icmpx.ParseError) bool {
			return e.Err == icmpx.ErrTruncated // as has been said of the whole
		})
	}
	w.read(m, &d)
	w.sums = sums{message: p.Checksum, want: wantedSum(p)}
	w.sums.why = w.unverified(p)
	w.nested(func() {
		w.length(p)
		w.fields(d.Fields, "")
		w.limits(p)
		w.remaining()
	})
}

// read sets what the fields to come are of. Problems are shown where they are:
// they are sorted by their places.
func (w *tree) read(b []byte, d *icmpx.Dissection) {
	w.data, w.dissected, w.told = b, d, 0
	w.problems = slices.Clone(d.Problems)
	slices.SortStableFunc(w.problems, func(a, b icmpx.ParseError) int { return a.Offset - b.Offset })
}

// length appends how long the message is and where it came from.
func (w *tree) length(p *packet.Packet) {
	w.begin("message length")
	if p.MessageLen == 0 {
		w.b = appendCount(w.b, len(p.Message), "byte")
		w.b = append(w.b, " in this frame, the start of a datagram whose rest is in others"...)
		w.end()
		return
	}
	w.b = appendCount(w.b, p.MessageLen, "byte")
	if len(p.Message) < p.MessageLen {
		w.b = append(w.b, ", of which "...)
		w.b = strconv.AppendInt(w.b, int64(len(p.Message)), 10)
		w.b = append(w.b, " are there"...)
	}
	w.end()
	if len(p.Fragments) > 0 {
		w.begin("reassembled")
		w.b = appendCount(w.b, p.Rebuilt, "byte")
		w.b = appendFrames(append(w.b, " from frames"...), p.Fragments)
		w.end()
	}
}

// limits appends what a message says that its IP header contradicts: neighbours
// talk to each other over one link alone (RFC 4861 section 3.1, RFC 2710 section
// 3, RFC 3122 section 4).
func (w *tree) limits(p *packet.Packet) {
	if p.ICMP != icmpx.IPv6 || p.IP.Family != icmpx.IPv6 {
		return
	}
	want := 0
	switch p.Type {
	case 133, 134, 135, 136, 137, 141, 142:
		want = 255
	case 130, 131, 132, 143:
		want = 1
	}
	if want != 0 && int(p.IP.TTL) != want {
		w.wrong("hop limit " + strconv.Itoa(int(p.IP.TTL)) + ": must be " + strconv.Itoa(want))
	}
}

// tell appends the problems before the end of a field that was written.
func (w *tree) tell(end int) {
	for w.told < len(w.problems) && w.problems[w.told].Offset < end {
		w.problem()
	}
}

// remaining appends the problems that no field holds.
func (w *tree) remaining() {
	for w.told < len(w.problems) {
		w.problem()
	}
	if n := len(w.problems) - maxTold; n > 0 {
		w.wrong(strconv.Itoa(n) + " more that are wrong")
	}
}

// problem appends the next problem. Wrong checksums are said where they stand.
func (w *tree) problem() {
	e := w.problems[w.told]
	w.told++
	if w.told > maxTold || e.Err == icmpx.ErrChecksum {
		return
	}
	w.wrong(e.Field + " at byte " + strconv.Itoa(e.Offset) + ": " + e.Err.Error())
}

// sums are what is known of the checksums of a header and a message.
type sums struct {
	header  packet.Status
	message packet.Status
	want    int    // what the message's should be; -1: not known
	why     string // why the message's was not verified
}

// unverified says why the checksum of a message was not verified.
func (w *tree) unverified(p *packet.Packet) string {
	switch {
	case firstFragment(p):
		return "a fragment"
	case len(p.Message) < p.MessageLen:
		return "cut short"
	}
	return "its pseudo-header is not known"
}

// checksum appends a checksum and what was found of it.
func (w *tree) checksum(f *icmpx.Field, v uint64) []byte {
	b := appendHexNumber(w.b, v, 4)
	switch {
	case w.in == "header" && f.Name == "header checksum":
		return appendStatus(b, w.sums.header, wantedHeaderSum(w.data), "the header is not whole")
	case w.in == "" && f.Offset == 2:
		return appendStatus(b, w.sums.message, w.sums.want, w.sums.why)
	case w.in == "quote" && f.Name == "header checksum":
		return w.quotedSum(b, f)
	case w.in == "extension" && v == 0:
		return append(b, " (not computed)"...)
	case w.in == "extension" && w.has("extension checksum", f.Offset):
		return append(b, " (incorrect)"...)
	case w.in == "extension":
		return append(b, " (correct)"...)
	}
	return b
}

// quotedSum appends what is found of the checksum of a quoted IPv4 header. A
// router may have changed the header and not the checksum: its TTL above all.
func (w *tree) quotedSum(b []byte, f *icmpx.Field) []byte {
	start := f.Offset - 10
	if w.has("IP header checksum", f.Offset) {
		return appendStatus(b, packet.Bad, wantedHeaderSum(w.data[start:]), "")
	}
	if hl := int(w.data[start]&15) * 4; start+hl > len(w.data) {
		return append(b, " (not verified: the header is not whole)"...)
	}
	return appendStatus(b, packet.Good, -1, "")
}

// has reports whether a checksum at off is wrong.
func (w *tree) has(field string, off int) bool {
	for i := range w.problems {
		if w.problems[i].Offset == off && w.problems[i].Field == field {
			return true
		}
	}
	return false
}

func appendStatus(b []byte, s packet.Status, want int, why string) []byte {
	switch s {
	case packet.Good:
		return append(b, " (correct)"...)
	case packet.Bad:
		b = append(b, " (incorrect"...)
		if want >= 0 {
			b = appendHexNumber(append(b, ", should be "...), uint64(want), 4)
		}
		return append(b, ')')
	case packet.Unfinished:
		return append(b, " (unfinished: left to the device)"...)
	}
	return append(append(append(b, " (not verified: "...), why...), ')')
}

// wantedHeaderSum returns what the checksum of the IPv4 header that h begins
// with should be, -1 if the header is not whole.
func wantedHeaderSum(h []byte) int {
	if len(h) < header4Len {
		return -1
	}
	hl := int(h[0]&15) * 4
	if hl < header4Len || hl > len(h) {
		return -1
	}
	return rightSum(icmpx.Checksum(h[:hl]), binary.BigEndian.Uint16(h[10:]))
}

// wantedSum returns what the checksum of a message should be, -1 if that is not
// known.
func wantedSum(p *packet.Packet) int {
	m := p.Message
	if p.Checksum != packet.Bad || len(m) < 4 {
		return -1
	}
	sum := icmpx.Checksum(m)
	if p.ICMP == icmpx.IPv6 {
		d := icmpx.DissectHeader(p.IP.Family, p.IP.Header)
		if p.IP.Family != icmpx.IPv6 || d.Find("routing header") != nil {
			return -1 // over another destination than the header's
		}
		sum = icmpx.ChecksumFrom(icmpx.PseudoSum(p.IP.Src, p.IP.Dst, len(m), protoICMPv6), m)
	}
	return rightSum(sum, binary.BigEndian.Uint16(m[2:]))
}

// rightSum returns the checksum that should stand where stored does, if the sum
// over the bytes with it came to sum instead of 0 (RFC 1624 section 3).
func rightSum(sum, stored uint16) int {
	v := uint32(sum) + uint32(stored)
	return int(uint16(v + v>>16))
}
