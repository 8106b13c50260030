package craft

import (
	"fmt"

	"github.com/icmpx/icmpx/icmpx"
)

// Harm says what a message can do to its receiver, if it should not reach one
// that has not agreed; "" if it does nothing of the kind.
func Harm(f icmpx.Family, typ, code uint8) string {
	if f == icmpx.IPv6 {
		switch typ {
		case 2:
			return "the receiver may send smaller packets to the quoted destination for ten minutes or more"
		case 134:
			return "hosts that receive it may take this host for their router, make addresses of its prefixes, and send their traffic here or nowhere"
		case 136:
			return "the receiver may send what is for the target to another machine, or to none"
		case 137:
			return "the receiver may send what is for the destination to the target instead, which may be anybody or nobody"
		}
		return ""
	}
	switch {
	case typ == 3 && code == 4:
		return "the receiver may send smaller packets to the quoted destination for ten minutes or more"
	case typ == 4:
		return "a receiver that heeds it slows its connections to the quoted destination down"
	case typ == 5:
		return "the receiver may send what is for the quoted destination to the gateway instead, which may be anybody or nobody"
	case typ == 9:
		return "hosts that listen to it may take its addresses for their routers, and send their traffic there"
	}
	return ""
}

// isError reports whether a type is an error message, which is never answered.
func isError(f icmpx.Family, typ uint8) bool {
	if f == icmpx.IPv6 {
		return typ < 128
	}
	switch typ {
	case 3, 4, 5, 11, 12, 31, 40:
		return true
	}
	return false
}

// Warnings says what the RFCs have against a message, as it is to be sent with a
// header.
func Warnings(m *Message, h *Header) []string {
	var list []string
	note := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	f, typ := m.Family, m.Type
	name := icmpx.TypeName(f, typ)
	info, known := icmpx.LookupType(f, typ)
	note(!known, "%v has no type %d (IANA)", protocol(f), typ)
	if known {
		old := info.Status == icmpx.StatusDeprecated
		note(old, "%s is deprecated%s", name, by(info.By))
		code, assigned := icmpx.LookupCode(f, typ, m.Code)
		note(!assigned && (len(info.Codes) > 0 || m.Code != 0), "%s has no code %d (IANA)", name, m.Code)
		note(assigned && !old && code.Status == icmpx.StatusDeprecated, "code %d of %s is deprecated%s", m.Code, name, by(code.By))
	}
	note(isError(f, typ) && h.Dst.IsMulticast(), "no error may be sent to a multicast address (RFC 1122 section 3.2.2, RFC 4443 section 2.4)")
	note(isError(f, typ) && aboutError(f, m.Fields.Quote), "no error may be sent about an ICMP error (RFC 1122 section 3.2.2, RFC 4443 section 2.4)")
	note(f == icmpx.IPv4 && typ == 5, "a host should not send a redirect: only gateways do (RFC 1122 section 3.2.2.2)")
	note(f == icmpx.IPv6 && typ == 137, "a host must not send a redirect: only routers do (RFC 4861 section 8.2)")
	note(isNeighborDiscovery(f, typ) && h.TTL != 255, "receivers drop neighbour discovery whose hop limit is not 255 (RFC 4861 section 4)")
	note(isListenerDiscovery(f, typ) && h.TTL != 1, "multicast listener discovery has hop limit 1 (RFC 2710 section 3)")
	note(isListenerDiscovery(f, typ) && !h.Src.IsLinkLocalUnicast(), "receivers drop multicast listener discovery that is not from a link-local address (RFC 2710 section 3)")
	note(f == icmpx.IPv6 && (typ == 134 || typ == 137) && !h.Src.IsLinkLocalUnicast(), "receivers drop a %s that is not from a link-local address (RFC 4861)", name)
	return list
}

func protocol(f icmpx.Family) string {
	if f == icmpx.IPv6 {
		return "ICMPv6"
	}
	return "ICMP"
}

// by says which RFC deprecates something.
func by(rfc string) string {
	if rfc == "" {
		return ""
	}
	return " (RFC " + rfc + ")"
}

// aboutError reports whether a quoted packet is an ICMP error.
func aboutError(f icmpx.Family, quote []byte) bool {
	q, err := icmpx.ParseQuote(quote, f)
	return err == nil && q.HasL4 && int(q.Proto) == f.Protocol() && isError(f, q.Type)
}
