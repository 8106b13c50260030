package trace

import (
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// request is the probe of a method. A TTL of 0 is the socket's.
func (r *run) request(m Method, port uint16, ttl, size int) probe.Probe {
	return probe.Probe{
		Request: icmpx.Request{
			Proto: m.Proto(), Dst: r.dst, Port: port, Path: r.opts.Path,
			TTL: uint8(ttl), TOS: r.opts.TOS, DF: r.opts.DF, Size: size,
		},
		Timeout: r.opts.Wait.Max,
	}
}
