package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// parseLiteral returns the address that a host is, if it is one: IPv4 in dotted
// quads, or IPv6, with a zone where it needs one. What only looks like an
// address is an error, never a name to look up.
func parseLiteral(host string) (netip.Addr, bool, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return a, true, checkZone(a)
	}
	last := host[strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')+1:]
	last = strings.TrimSuffix(last, ".")
	switch {
	case host == "":
		return netip.Addr{}, false, errors.New("a host is empty")
	case strings.ContainsAny(host, ":%/ "):
		return netip.Addr{}, false, fmt.Errorf("%s is neither an address nor a name", host)
	case isNumber(last):
		return netip.Addr{}, false, fmt.Errorf("%s is not an IPv4 address: four numbers from 0 to 255, without leading zeros", host)
	}
	return netip.Addr{}, false, nil
}

// parseLiteralOf is parseLiteral for hosts of a family; 0: of either.
func parseLiteralOf(host string, want icmpx.Family) (addr netip.Addr, literal bool, err error) {
	addr, literal, err = parseLiteral(host)
	if err == nil && literal && want != 0 && icmpx.FamilyOf(addr) != want {
		err = fmt.Errorf("%s is not an %v address", host, want)
	}
	return addr, literal, err
}

// isNumber reports whether a label of a host is a number, decimal or
// hexadecimal: then the whole can be no name (WHATWG URL, "ends in a number").
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(strings.ToLower(label), "0x"); ok {
		_, err := strconv.ParseUint(hex, 16, 64)
		return hex == "" || err == nil
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// checkZone finds what is wrong with the zone of an address.
func checkZone(a netip.Addr) error {
	zone := a.Zone()
	if zone == "" {
		return nil
	}
	if !a.IsLinkLocalUnicast() && !a.IsLinkLocalMulticast() && !a.IsInterfaceLocalMulticast() {
		return fmt.Errorf("%v has a zone and is not link-local", a)
	}
	if index, err := strconv.Atoi(zone); err == nil {
		if _, err := net.InterfaceByIndex(index); err == nil {
			return nil
		}
	}
	if _, err := net.InterfaceByName(zone); err != nil {
		return fmt.Errorf("%v: there is no interface %s", a, zone)
	}
	return nil
}

// lookUp returns the addresses of a name, in the order of RFC 6724, of one
// family or of both.
func lookUp(ctx context.Context, r resolver, name string, f icmpx.Family) ([]netip.Addr, error) {
	network := "ip"
	switch f {
	case icmpx.IPv4:
		network = "ip4"
	case icmpx.IPv6:
		network = "ip6"
	}
	addrs, err := r.LookupNetIP(ctx, network, name)
	if err != nil || len(addrs) == 0 {
		return nil, &lookupError{name: name, family: f, err: err}
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// A lookupError says that a name gave no address.
type lookupError struct {
	name   string
	family icmpx.Family // that was asked for; 0: either
	err    error        // what the resolver said; nil: that there is none
}

// Error tells names that do not exist from resolvers that do not answer.
func (e *lookupError) Error() string {
	var (
		dns   *net.DNSError
		other *net.AddrError // it has addresses, all of the other family
	)
	switch {
	case errors.As(e.err, &dns) && !dns.IsNotFound:
		return "look up " + e.name + ": " + serverFault(dns)
	case e.err != nil && dns == nil && !errors.As(e.err, &other):
		return "look up " + e.name + ": " + e.err.Error()
	case e.family != 0:
		return fmt.Sprintf("unknown host %s: it has no %v address", e.name, e.family)
	}
	return "unknown host " + e.name
}

// Unwrap returns what the resolver said.
func (e *lookupError) Unwrap() error { return e.err }
