package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/craft"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/spelling"
)

// message returns the message that the flags describe, from src to dst.
func (r *sendRun) message(src, dst netip.Addr) (*craft.Message, error) {
	f := icmpx.FamilyOf(dst)
	typ, code, err := r.find(f)
	if err != nil {
		return nil, err
	}
	m := &craft.Message{Family: f, Type: typ, Code: code, BadChecksum: r.bad, Body: r.body}
	given := r.given()
	if r.body != nil {
		if len(given) > 0 {
			return nil, fmt.Errorf("--%s does not go with --body, which is all of the message", given[0])
		}
		return m, nil
	}
	if err := craft.CheckFields(f, typ, code, given); err != nil {
		return nil, err
	}
	v := r.fields
	r.readPlain(v, m)
	r.readAddresses(v, m, dst)
	r.readOptions(v, &m.Fields)
	r.readExtensions(v, m)
	if v.err == nil {
		v.refuse(r.readQuote(v, m, src, dst))
	}
	return m, v.err
}

// find returns type and code of the message in a family.
func (r *sendRun) find(f icmpx.Family) (typ, code uint8, err error) {
	typ, code, ok := craft.Find(f, r.word)
	if !ok {
		err := fmt.Errorf("no %v message is called %q", f, r.word)
		hint := "icmpx explain lists the messages; names such as time-exceeded, or numbers such as 11/0"
		name, _, _ := strings.Cut(strings.ToLower(r.word), "/")
		if _, _, other := craft.Find(icmpx.IPv4+icmpx.IPv6-f, r.word); other {
			err = fmt.Errorf("%q is no message of %v, but of %v", r.word, f, icmpx.IPv4+icmpx.IPv6-f)
		} else if near := spelling.Nearest(name, icmpx.MessageNames()); near != "" && near != name {
			hint = "did you mean " + near + "?"
		}
		return 0, 0, &usageError{err: err, hint: hint}
	}
	if n := r.fields.whole("code", 0, 255, -1); n >= 0 {
		if strings.Contains(r.word, "/") || code != 0 && int(code) != n {
			return 0, 0, fmt.Errorf("--code %d: %s says the code already", n, r.word)
		}
		code = uint8(n)
	}
	return typ, code, r.fields.err
}

// readPlain reads the fields that are numbers or bytes.
func (r *sendRun) readPlain(v *valueReader, m *craft.Message) {
	s := &m.Fields
	s.ID, s.Seq = uint16(v.whole("id", 0, math.MaxUint16, 1)), uint16(v.whole("seq", 0, math.MaxUint16, 1))
	s.Data = v.hexBytes("data", r.payload)
	if r.payload != nil && v.line.Has("data") {
		v.refuse(errors.New("--data and --payload exclude each other"))
	}
	now := uint32(0)
	if craft.Has(m.Family, m.Type, m.Code, "originate") {
		now = sinceMidnight(time.Now())
	}
	s.Originate = v.word("originate", now)
	s.Receive = v.word("receive", 0)
	s.Transmit = v.word("transmit", 0)
	s.MTU = v.word("mtu", 1280)
	s.Pointer = v.word("pointer", 0)
	s.State = uint8(v.whole("state", 0, 7, 0))
	s.Lifetime = uint16(v.whole("lifetime", 0, math.MaxUint16, 1800))
	s.HopLimit = uint8(v.whole("hop-limit", 0, 255, 0))
	s.Preference = uint8(v.whole("preference", 0, 3, 0))
	s.Reachable = v.word("reachable", 0)
	s.Retransmit = v.word("retransmit", 0)
	s.MaxDelay = uint16(v.whole("max-delay", 0, math.MaxUint16, 0))
	if list, ok := v.text("flags"); ok {
		var err error
		if s.Flags, err = craft.ParseFlags(m.Family, m.Type, m.Code, list); err != nil {
			v.refuse(err)
		}
	}
}

// word reads a number of 32 bits; fallback if it was not given.
func (v *valueReader) word(name string, fallback uint32) uint32 {
	if !v.line.Has(name) {
		return fallback
	}
	return uint32(v.number(name, math.MaxUint32))
}

// sinceMidnight returns milliseconds since midnight UT (RFC 792).
func sinceMidnight(t time.Time) uint32 {
	t = t.UTC()
	return uint32(t.Sub(t.Truncate(24*time.Hour)) / time.Millisecond)
}

// hexBytes reads bytes in hexadecimal; fallback if they were not given.
func (v *valueReader) hexBytes(name string, fallback []byte) []byte {
	s, ok := v.text(name)
	if !ok {
		return fallback
	}
	b, err := hex.DecodeString(strings.Map(dropBlanks, strings.TrimPrefix(s, "0x")))
	if err != nil {
		v.fail(name, s, "bytes in hexadecimal, as in 0a1b2c")
	}
	return b
}

func dropBlanks(r rune) rune {
	if r == ' ' || r == ':' {
		return -1
	}
	return r
}

// readAddresses reads the fields that are addresses.
func (r *sendRun) readAddresses(v *valueReader, m *craft.Message, dst netip.Addr) {
	s := &m.Fields
	s.Mask, s.Gateway = v.address("mask"), v.address("gateway")
	s.Target, s.Destination, s.Group = v.address("target"), v.address("destination"), v.address("group")
	if !s.Target.IsValid() && craft.Has(m.Family, m.Type, m.Code, "target") {
		s.Target = dst.WithZone("")
	}
	for _, need := range []struct {
		name string
		a    *netip.Addr
	}{{"gateway", &s.Gateway}, {"destination", &s.Destination}} {
		if !need.a.IsValid() && v.err == nil && craft.Has(m.Family, m.Type, m.Code, need.name) {
			v.refuse(fmt.Errorf("%s needs --%s", craft.Describe(m.Family, m.Type, m.Code), need.name))
		}
	}
	for _, text := range v.line.Values("router") {
		addr, pref, more := strings.Cut(text, ",")
		a, err := netip.ParseAddr(addr)
		n := int64(0)
		if more && err == nil {
			n, err = strconv.ParseInt(pref, 10, 32)
		}
		if err != nil || !a.Is4() {
			v.fail("router", text, "an IPv4 address, or one and a preference: 192.0.2.1,10")
		}
		s.Routers = append(s.Routers, icmpx.Router{Addr: a, Preference: int32(n)})
	}
	if len(s.Routers) == 0 && v.err == nil && craft.Has(m.Family, m.Type, m.Code, "router") {
		v.refuse(fmt.Errorf("%s needs --router", craft.Describe(m.Family, m.Type, m.Code)))
	}
}

// readOptions reads what neighbour and multicast listener discovery carry.
func (r *sendRun) readOptions(v *valueReader, s *craft.Fields) {
	for _, l := range []struct {
		name   string
		target bool
	}{{"source-link", false}, {"target-link", true}} {
		if text, ok := v.text(l.name); ok {
			mac, err := net.ParseMAC(text)
			if err != nil || len(mac) != 6 {
				v.fail(l.name, text, "an address such as 02:00:00:00:00:01")
			}
			s.Options = append(s.Options, &icmpx.NDLinkAddr{Target: l.target, Addr: mac})
		}
	}
	if v.line.Has("link-mtu") {
		s.Options = append(s.Options, &icmpx.NDMTU{MTU: v.word("link-mtu", 0)})
	}
	for _, text := range v.line.Values("prefix") {
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().Is6() {
			v.fail("prefix", text, "an IPv6 prefix such as 2001:db8::/64")
			return
		}
		s.Options = append(s.Options, &icmpx.NDPrefixInfo{
			PrefixLen: uint8(p.Bits()), OnLink: true, Autonomous: true, Prefix: p.Addr(),
			Valid: uint32(s.Lifetime), Preferred: uint32(s.Lifetime),
		})
	}
	for _, text := range v.line.Values("option") {
		word, digits, _ := strings.Cut(text, ":")
		n, err := strconv.ParseUint(word, 10, 8)
		b, herr := hex.DecodeString(digits)
		if err != nil || herr != nil {
			v.fail("option", text, "a type and bytes in hexadecimal, as in 14:0a1b2c3d4e5f")
			return
		}
		s.Options = append(s.Options, &icmpx.NDRawOption{Type: uint8(n), Data: b})
	}
	readRecords(v, s)
}

// readRecords reads the records of a multicast listener report.
func readRecords(v *valueReader, s *craft.Fields) {
	for _, text := range v.line.Values("record") {
		parts := strings.Split(text, ",")
		n, err := strconv.ParseUint(parts[0], 10, 8)
		var addrs []netip.Addr
		for _, p := range parts[1:] {
			a, aerr := netip.ParseAddr(p)
			if aerr != nil || !a.Is6() {
				err = errors.New("no address")
			}
			addrs = append(addrs, a.WithZone(""))
		}
		if err != nil || len(addrs) == 0 {
			v.fail("record", text, "a type, a group and sources, as in 4,ff02::1:2")
			return
		}
		s.Records = append(s.Records, icmpx.MLDRecord{Type: uint8(n), Group: addrs[0], Sources: addrs[1:]})
	}
}

// readQuote reads or makes the packet that an error is about. Without a word
// about it, it is a UDP datagram from the host to this one.
func (r *sendRun) readQuote(v *valueReader, m *craft.Message, src, dst netip.Addr) error {
	if !craft.Has(m.Family, m.Type, m.Code, "quote") {
		return nil
	}
	ways := 0
	made := slices.ContainsFunc(r.given(), func(n string) bool {
		return strings.HasPrefix(n, "quote-") && n != "quote-file"
	})
	for _, given := range []bool{v.line.Has("quote"), r.quote != nil, made} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("only one of --quote, --quote-file, and --quote-src and its like says what is quoted")
	case r.quote != nil:
		m.Fields.Quote = r.quote
		return nil
	case v.line.Has("quote"):
		m.Fields.Quote = v.hexBytes("quote", nil)
		return v.err
	}
	q := craft.Quote{Src: dst, Dst: src, Proto: "udp:40000:33434", DF: v.line.Has("quote-df")}
	if a := v.address("quote-src"); a.IsValid() {
		q.Src = a
	}
	if a := v.address("quote-dst"); a.IsValid() {
		q.Dst = a
	}
	if s, ok := v.text("quote-proto"); ok {
		q.Proto = s
	}
	ttl := 64
	if m.Type == 11 && m.Family == icmpx.IPv4 || m.Type == 3 && m.Family == icmpx.IPv6 {
		ttl = 1
	}
	q.TTL, q.TOS = uint8(v.whole("quote-ttl", 0, 255, ttl)), uint8(v.number("quote-tos", 255))
	q.ID = uint16(v.whole("quote-id", 0, math.MaxUint16, 1))
	if v.err != nil {
		return v.err
	}
	if icmpx.FamilyOf(q.Src) != m.Family || icmpx.FamilyOf(q.Dst) != m.Family {
		return fmt.Errorf("an %v error quotes %v packets: from %v to %v", m.Family, m.Family, q.Src, q.Dst)
	}
	b, err := q.Marshal()
	m.Fields.Quote = b
	return err
}

// readWhole reads a file of at most what a packet holds. What it returns without
// an error is not nil.
func readWhole(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return readUpTo(name, f)
}

func readUpTo(name string, in io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in, math.MaxUint16+1))
	if err == nil && len(b) > math.MaxUint16 {
		err = fmt.Errorf("%s is longer than a packet: 65,535 bytes", name)
	}
	return b, err
}
