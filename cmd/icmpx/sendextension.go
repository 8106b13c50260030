package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/icmpx"
)

// readExtensions reads the extension structure of an error, or what an extended
// echo asks about.
func (r *sendRun) readExtensions(v *valueReader, m *craft.Message) {
	s := &m.Fields
	if stack := readLabels(v); stack != nil {
		s.Extensions = append(s.Extensions, stack)
	}
	for _, text := range v.line.Values("interface-info") {
		info, err := parseInterfaceInfo(text)
		if err != nil {
			v.refuse(fmt.Errorf("--interface-info %q: %w", text, err))
			return
		}
		s.Extensions = append(s.Extensions, info)
	}
	for _, text := range v.line.Values("extension") {
		raw, err := parseObject(text)
		if err != nil {
			v.refuse(fmt.Errorf("--extension %q: %w", text, err))
			return
		}
		s.Extensions = append(s.Extensions, raw)
	}
	if i := v.choice("extension-form", "compliant", "no-checksum", "legacy"); i >= 0 {
		s.Form = icmpx.Form(i)
	}
	if craft.Has(m.Family, m.Type, m.Code, "iface-name") {
		if ident := v.interfaceIdent(); ident != nil {
			s.Extensions = append(s.Extensions, ident)
		} else if v.err == nil && len(s.Extensions) == 0 {
			v.refuse(fmt.Errorf("%s needs --iface-name, --iface-index or --iface-addr", craft.Describe(m.Family, m.Type, m.Code)))
		}
		if v.line.Has("iface-name") || v.line.Has("iface-index") {
			s.Flags |= craft.FlagLocal // by name or index an interface is the node's own
		}
	}
}

// readLabels reads a label stack; nil if none was given.
func readLabels(v *valueReader) icmp.Extension {
	values := v.line.Values("mpls")
	if len(values) == 0 {
		return nil
	}
	stack := &icmp.MPLSLabelStack{Class: 1, Type: 1}
	for _, text := range values {
		parts := strings.Split(text, ":")
		if len(parts) != 4 {
			v.fail("mpls", text, "LABEL:TC:S:TTL, as in 16:0:1:64")
			return nil
		}
		var n [4]int
		for i, limit := range [...]struct {
			what string
			most int
		}{{"label", 1<<20 - 1}, {"traffic class", 7}, {"bottom of stack", 1}, {"TTL", 255}} {
			x, err := strconv.Atoi(parts[i])
			if err != nil || x < 0 || x > limit.most {
				v.refuse(fmt.Errorf("--mpls %s: %s %q is not a whole number from 0 to %d", text, limit.what, parts[i], limit.most))
				return nil
			}
			n[i] = x
		}
		stack.Labels = append(stack.Labels, icmp.MPLSLabel{Label: n[0], TC: n[1], S: n[2] == 1, TTL: n[3]})
	}
	return stack
}

// infoRoles are the roles of an interface (RFC 5837 section 4.1).
var infoRoles = [...]string{"incoming", "sub-ip", "outgoing", "next-hop"}

// parseInterfaceInfo reads "role=incoming,index=2,addr=192.0.2.1,name=eth0,mtu=1500".
func parseInterfaceInfo(text string) (icmp.Extension, error) {
	info := &icmp.InterfaceInfo{Class: 2, Interface: &net.Interface{}}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "role":
			err = fmt.Errorf("%q is none of %s", value, strings.Join(infoRoles[:], ", "))
			for i, role := range infoRoles {
				if value == role {
					info.Type, err = info.Type|i<<6, nil
				}
			}
		case "index":
			info.Interface.Index, err = wordOf(value)
			info.Type |= 0x08
		case "addr":
			var a netip.Addr
			a, err = netip.ParseAddr(value)
			info.Addr = &net.IPAddr{IP: a.WithZone("").AsSlice()}
			info.Type |= 0x04
		case "name":
			info.Interface.Name = value
			info.Type |= 0x02
		case "mtu":
			info.Interface.MTU, err = wordOf(value)
			info.Type |= 0x01
		default:
			err = fmt.Errorf("%q is none of role, index, addr, name, mtu", key)
		}
		if err != nil {
			return nil, err
		}
	}
	return info, nil
}

// wordOf reads a number of 32 bits.
func wordOf(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > math.MaxInt {
		return 0, fmt.Errorf("%q is not a whole number from 0 to %d", text, uint32(math.MaxUint32))
	}
	return int(n), nil
}

// parseObject reads "CLASS:CTYPE:HEX".
func parseObject(text string) (icmp.Extension, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("want CLASS:CTYPE:HEX")
	}
	class, err1 := strconv.ParseUint(parts[0], 10, 8)
	ctype, err2 := strconv.ParseUint(parts[1], 10, 8)
	data, err3 := hex.DecodeString(parts[2])
	switch {
	case err1 != nil || err2 != nil || err3 != nil:
		return nil, fmt.Errorf("want CLASS:CTYPE:HEX")
	case len(data)%4 != 0:
		return nil, fmt.Errorf("%d bytes are no multiple of 4 (RFC 4884 section 8)", len(data))
	case len(data)+4 > math.MaxUint16:
		return nil, fmt.Errorf("%d bytes are more than an object has room for", len(data))
	}
	n := len(data) + 4
	return &icmp.RawExtension{Data: append([]byte{byte(n >> 8), byte(n), byte(class), byte(ctype)}, data...)}, nil
}

// interfaceIdent reads which interface an extended echo asks about; nil if no
// flag says it.
func (v *valueReader) interfaceIdent() icmp.Extension {
	id := &icmp.InterfaceIdent{Class: 3}
	given := 0
	if name, ok := v.text("iface-name"); ok {
		given++
		id.Type, id.Name = 1, name
		if name == "" || len(name) > 255 {
			v.fail("iface-name", name, "the name of an interface")
		}
	}
	if v.line.Has("iface-index") {
		given++
		id.Type, id.Index = 2, int(v.word("iface-index", 0))
	}
	if a := v.address("iface-addr"); a.IsValid() {
		given++
		id.Type, id.AFI, id.Addr = 3, 1, a.WithZone("").AsSlice()
		if a.Is6() {
			id.AFI = 2
		}
	}
	switch {
	case v.err != nil || given == 0:
		return nil
	case given > 1:
		v.refuse(fmt.Errorf("only one of --iface-name, --iface-index and --iface-addr says which interface is meant"))
		return nil
	}
	return id
}
