package trace

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// request is the probe of a method, size bytes long with the source route that
// its link gives to it. A TTL of 0 is the socket's.
func (r *run) request(m Method, via route, port uint16, ttl, size int) probe.Probe {
	return probe.Probe{
		Request: icmpx.Request{
			Proto: m.Proto(), Dst: r.dst, Port: port, Path: r.opts.Path,
			TTL: uint8(ttl), TOS: r.opts.TOS, DF: r.opts.DF, Size: max(size-via.length(), 0),
		},
		Timeout: r.opts.Wait.Max,
	}
}

// A route is the gateways of a source route.
type route []netip.Addr

// length is how many bytes the route takes in a header: an option of 3 bytes, 4
// more for each gateway and one of padding (RFC 791 section 3.1).
func (v route) length() int {
	if len(v) == 0 {
		return 0
	}
	return 3 + 4*len(v) + 1
}

// sizeOf returns the length in bytes of the packet of a request that goes by the
// route; 0: the link chose it.
func (v route) sizeOf(r *icmpx.Request) int {
	if r.Size == 0 {
		return 0
	}
	return r.Size + v.length()
}
