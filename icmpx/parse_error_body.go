package icmpx

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
)

// unused checks that bytes of the ICMP header that have no meaning are zero.
func unused(b []byte, offsets ...int) error {
	for _, off := range offsets {
		if b[off] != 0 {
			return &ParseError{"unused byte", off, ErrReserved}
		}
	}
	return nil
}

func parseUnreachable(f Family, b []byte) (icmp.MessageBody, error) {
	if f == IPv4 && b[1] == codeFragNeeded {
		q, err := parseQuoting(f, b, 4)
		return &FragNeeded{binary.BigEndian.Uint16(b[6:]), q.data, q.exts, q.form}, err
	}
	q, err := parseQuoting(f, b, unusedBeside(f)...)
	return &Unreachable{q.data, q.exts, q.form}, err
}

func parseTimeExceeded(f Family, b []byte) (icmp.MessageBody, error) {
	q, err := parseQuoting(f, b, unusedBeside(f)...)
	return &TimeExceeded{q.data, q.exts, q.form}, err
}

// unusedBeside returns the unused bytes around the length attribute.
func unusedBeside(f Family) []int {
	if f == IPv6 {
		return []int{5, 6, 7}
	}
	return []int{4, 6, 7}
}

func parseParamProblem(f Family, b []byte) (icmp.MessageBody, error) {
	var q quoting
	var err error
	if f == IPv6 {
		q, err = parseQuoting(f, b)
	} else {
		q, err = parseQuoting(f, b, 6, 7)
	}
	return &ParamProblem{pointer(f, b), q.data, q.exts, q.form}, err
}

func parseSourceQuench(f Family, b []byte) (icmp.MessageBody, error) {
	q, err := parseQuoting(f, b, 4, 5, 6, 7)
	return &SourceQuench{q.data}, err
}

func parseRedirect(f Family, b []byte) (icmp.MessageBody, error) {
	q, err := parseQuoting(f, b)
	return &Redirect{netip.AddrFrom4([4]byte(b[4:8])), q.data}, err
}

func parsePacketTooBig(f Family, b []byte) (icmp.MessageBody, error) {
	q, err := parseQuoting(f, b)
	return &icmp.PacketTooBig{MTU: int(binary.BigEndian.Uint32(b[4:])), Data: q.data}, err
}

// parseQuoting reads the quote of an error and its extensions, and checks that
// the given bytes of the header are zero.
//
// Without a length attribute there may be a legacy extension structure; what
// is none is part of the quote. A length attribute must be compliant, and
// followed by a structure.
func parseQuoting(f Family, b []byte, zero ...int) (quoting, error) {
	if err := unused(b, zero...); err != nil {
		return quoting{}, err
	}
	if err := checkLengthAttribute(f, b); err != nil {
		return quoting{}, err
	}
	n, how := splitExtension(f, b)
	body := b[headerLen:]
	q := quoting{data: body[:n]}
	if how != placedNowhere {
		exts, err := ParseExtensions(body[n:])
		switch {
		case err == nil:
			q.exts, q.form = exts, formOf(how, body[n:])
		case how == placedLegacy:
			q.data = body
		default:
			return quoting{}, within(err, headerLen+n)
		}
	}
	return q, checkQuote(f, q.data)
}

func formOf(how placing, ext []byte) Form {
	switch {
	case how == placedLegacy:
		return FormLegacy
	case binary.BigEndian.Uint16(ext[2:]) == 0:
		return FormNoChecksum
	}
	return FormCompliant
}

// checkLengthAttribute checks the length attribute of the error b: it is 0, or
// compliant with an extension structure behind what it counts.
func checkLengthAttribute(f Family, b []byte) error {
	if !extensible(f, b[0]) {
		return nil
	}
	off := 5
	if f == IPv6 {
		off = 4
	}
	n, have := lengthAttribute(f, b), len(b)-headerLen
	switch {
	case n > have:
		return &ParseError{"length attribute", off, ErrTruncated}
	case n != 0 && n < minQuote, n != 0 && n == have:
		return &ParseError{"length attribute", off, ErrLength}
	}
	return nil
}

// checkQuote checks that a quote has a whole IP header of its family, and
// behind it 8 bytes or all that there was. Extension headers count as what is
// behind it.
func checkQuote(f Family, b []byte) error {
	var q Quote
	if err := q.parse(b, f); err != nil {
		return within(err, headerLen)
	}
	hl := f.HeaderLen()
	if f == IPv4 {
		hl = int(b[0]&0x0f) * 4
	}
	if len(b) < hl || len(b) < hl+8 && (q.TotalLen < hl || len(b) < q.TotalLen) {
		return &ParseError{"quoted packet", headerLen + len(b), ErrTruncated}
	}
	return nil
}
