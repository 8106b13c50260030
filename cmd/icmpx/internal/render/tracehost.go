package render

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/trace"
)

// A TraceHost is the destination of a trace as it appears in output.
type TraceHost struct {
	Name   string     // as the user gave it
	Addr   netip.Addr // what it resolved to
	Method trace.Method
	Port   uint16 // 0 of ICMP
	MaxTTL int
	Size   int        // bytes of the whole IP packet; 0: not known
	Route  int        // and of those that a source route takes in its header
	Socket icmpx.Mode // raw or datagram
}

// payload returns the bytes behind the transport header.
func (h *TraceHost) payload() int {
	header := 8
	if h.Method == trace.TCP {
		header = 20
	}
	return max(h.Size-icmpx.FamilyOf(h.Addr).HeaderLen()-h.Route-header, 0)
}

// tellsPort reports whether what a destination says about its port is of
// interest: that nobody listens where nobody should is not.
func tellsPort(res *trace.Result) bool {
	return res.PortState != trace.PortUnknown && (res.Method == trace.TCP || res.Method == trace.UDPFixed)
}
