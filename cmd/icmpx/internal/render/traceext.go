package render

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/icmp"
)

// The roles of an interface in interface information (RFC 5837 section 4.1), by
// the two high bits of the C-type: traceroute's words, and those of JSON.
var (
	roleMarks = [4]string{"INC", "SUB", "OUT", "NXT"}
	roleWords = [4]string{"incoming", "sub_ip", "outgoing", "next_hop"}
)

// Flags of interface information: which fields there are.
const (
	infoHasIndex = 0x08
	infoHasMTU   = 0x01
)

// appendExtensions appends extension objects as traceroute -e does, with a
// semicolon between them.
func appendExtensions(b []byte, list []icmp.Extension) []byte {
	for i, e := range list {
		if i > 0 {
			b = append(b, ';')
		}
		switch e := e.(type) {
		case *icmp.MPLSLabelStack:
			b = appendLabels(b, e.Labels)
		case *icmp.InterfaceInfo:
			b = appendInterfaceInfo(b, e)
		case *icmp.InterfaceIdent:
			b = appendInterfaceIdent(b, e)
		case *icmp.RawExtension:
			b = appendRawExtension(b, e.Data)
		}
	}
	return b
}

// appendLabels appends a label stack: "MPLS:L=16,E=0,S=1,T=1", with a slash
// between two labels.
func appendLabels(b []byte, labels []icmp.MPLSLabel) []byte {
	b = append(b, "MPLS:"...)
	for i, l := range labels {
		if i > 0 {
			b = append(b, '/')
		}
		b = strconv.AppendInt(append(b, "L="...), int64(l.Label), 10)
		b = strconv.AppendInt(append(b, ",E="...), int64(l.TC), 10)
		b = strconv.AppendInt(append(b, ",S="...), int64(bit(l.S)), 10)
		b = strconv.AppendInt(append(b, ",T="...), int64(l.TTL), 10)
	}
	return b
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// appendInterfaceInfo appends what a router says about an interface, as far as
// it does: INC:2,192.0.2.1,"eth0",mtu=1500.
func appendInterfaceInfo(b []byte, e *icmp.InterfaceInfo) []byte {
	b = append(append(b, roleMarks[e.Type>>6&3]...), ':')
	begin := len(b)
	next := func() {
		if len(b) > begin {
			b = append(b, ',')
		}
	}
	if e.Interface != nil && e.Type&infoHasIndex != 0 {
		b = strconv.AppendInt(b, int64(e.Interface.Index), 10)
	}
	if a := infoAddr(e.Addr); a.IsValid() {
		next()
		b = AppendAddr(b, a)
	}
	if e.Interface != nil && e.Interface.Name != "" {
		next()
		b = appendQuoted(b, e.Interface.Name)
	}
	if e.Interface != nil && e.Type&infoHasMTU != 0 {
		next()
		b = strconv.AppendInt(append(b, "mtu="...), int64(e.Interface.MTU), 10)
	}
	return b
}

// appendQuoted appends a name between quotation marks; one within it becomes \".
func appendQuoted(b []byte, name string) []byte {
	b = append(b, '"')
	for part := range strings.SplitAfterSeq(name, `"`) {
		text, quote := strings.CutSuffix(part, `"`)
		b = AppendSafe(b, text)
		if quote {
			b = append(b, '\\', '"')
		}
	}
	return append(b, '"')
}

// infoAddr returns the address of interface information; the zero Addr if there
// is none.
func infoAddr(a *net.IPAddr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	addr, _ := netip.AddrFromSlice(a.IP)
	return addr
}

// appendInterfaceIdent appends an interface by its name, index or address (RFC
// 8335 section 2.1).
func appendInterfaceIdent(b []byte, e *icmp.InterfaceIdent) []byte {
	b = append(b, "IDENT:"...)
	switch {
	case e.Name != "":
		return appendQuoted(b, e.Name)
	case len(e.Addr) > 0:
		if a, ok := netip.AddrFromSlice(e.Addr); ok && (e.AFI == 1 || e.AFI == 2) {
			return AppendAddr(b, a)
		}
		return appendHex(b, e.Addr)
	}
	return strconv.AppendInt(b, int64(e.Index), 10)
}

// objectHeader is the length in bytes of what leads an object: length, class and
// C-type (RFC 4884 section 8).
const objectHeader = 4

// appendRawExtension appends an object of which no more is known: "5/1:", then
// its words in hexadecimal with commas between them.
func appendRawExtension(b, data []byte) []byte {
	if len(data) < objectHeader {
		return append(b, '?')
	}
	b = strconv.AppendUint(b, uint64(data[2]), 10)
	b = strconv.AppendUint(append(b, '/'), uint64(data[3]), 10)
	b = append(b, ':')
	for i, rest := 0, data[objectHeader:]; i < len(rest); i += 4 {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHex(b, rest[i:min(i+4, len(rest))])
	}
	return b
}

// extensions appends extension objects as an array of JSON objects.
func (o *object) extensions(k string, list []icmp.Extension) {
	o.key(k)
	o.b = append(o.b, '[')
	for i, e := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendExtensionJSON(o.b, e)
	}
	o.b = append(o.b, ']')
}

func appendExtensionJSON(b []byte, ext icmp.Extension) []byte {
	o := begin(b)
	switch e := ext.(type) {
	case *icmp.MPLSLabelStack:
		o.class(e.Class, e.Type)
		o.labels("mpls", e.Labels)
	case *icmp.InterfaceInfo:
		o.class(e.Class, e.Type)
		o.interfaceInfo(e)
	case *icmp.InterfaceIdent:
		o.class(e.Class, e.Type)
		o.interfaceIdent(e)
	case *icmp.RawExtension:
		if len(e.Data) >= objectHeader {
			o.class(int(e.Data[2]), int(e.Data[3]))
			o.hex("data", e.Data[objectHeader:])
		}
	}
	return o.end()
}

func (o *object) class(class, ctype int) {
	o.int("cls", int64(class))
	o.int("ctype", int64(ctype))
}

// labels appends a label stack: each label as [label, traffic class, bottom of
// the stack, TTL].
func (o *object) labels(k string, labels []icmp.MPLSLabel) {
	o.key(k)
	o.b = append(o.b, '[')
	for i, l := range labels {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendInts(o.b, []int{l.Label, l.TC, bit(l.S), l.TTL})
	}
	o.b = append(o.b, ']')
}

func (o *object) interfaceInfo(e *icmp.InterfaceInfo) {
	o.str("role", roleWords[e.Type>>6&3])
	if e.Interface != nil && e.Type&infoHasIndex != 0 {
		o.int("index", int64(e.Interface.Index))
	}
	if a := infoAddr(e.Addr); a.IsValid() {
		o.addr("addr", a)
	}
	if e.Interface != nil && e.Interface.Name != "" {
		o.str("name", e.Interface.Name)
	}
	if e.Interface != nil && e.Type&infoHasMTU != 0 {
		o.int("mtu", int64(e.Interface.MTU))
	}
}

func (o *object) interfaceIdent(e *icmp.InterfaceIdent) {
	a, ok := netip.AddrFromSlice(e.Addr)
	switch {
	case e.Name != "":
		o.str("name", e.Name)
	case ok && (e.AFI == 1 || e.AFI == 2):
		o.addr("addr", a)
	case len(e.Addr) > 0:
		o.hex("data", e.Addr)
	default:
		o.int("index", int64(e.Index))
	}
}

// appendInts appends an array of integers.
func appendInts(b []byte, list []int) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}
