package render

import (
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
)

// A PmtuHost is the destination of a search for the path MTU as it appears in
// output. Sizes are of whole IP packets, in bytes.
type PmtuHost struct {
	Name     string     // as the user gave it
	Addr     netip.Addr // what it resolved to
	Method   pmtu.Method
	Port     uint16 // 0 of ICMP
	Socket   icmpx.Mode
	LinkMTU  int // of the interface; 0: not known
	RouteMTU int // of the route or its cached path, if that is less; 0: it is not
}

// A PmtuProgress is how far a search for the path MTU is.
type PmtuProgress struct {
	Round, Probes   int // bursts begun, and probes decided
	AtLeast, AtMost int // bounds in bytes, as of a pmtu.Event
}
