package trace_test

import (
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

// The own interface is the first limit, which is nothing odd unless the user
// wanted more than it passes.
func TestMTUOfThisHost(t *testing.T) {
	o := chain(3)
	o.MTU = 1400
	s := run(t, o, trace.Options{MTU: true})
	r := &s.result
	if !r.Reached || r.Rows[0].MTU != 1400 || r.Rows[1].MTU != 0 || r.Rows[3].Probes[2].Size != 1400 {
		t.Errorf("%s", text(r))
	}
	wantCodes(t, r)

	s = run(t, o, trace.Options{DF: icmpx.DFSet, Size: 1500})
	if r := &s.result; r.Reached || r.Hops != 1 || r.Rows[0].Probes[0].MTU != 1400 {
		t.Errorf("%s", text(r))
	}
	wantCodes(t, &s.result, "mtu_drop")
}

// A router that names a byte less each time, or no less at all, does not make a
// trace go on for ever.
func TestMTUAttack(t *testing.T) {
	for name, claim := range map[string]func(size int) int{
		"a byte less": func(size int) int { return size - 1 },
		"the same":    func(size int) int { return size },
		"nothing":     func(int) int { return 0 },
		"absurd":      func(int) int { return 1 },
		"negative":    func(int) int { return -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := chain(3)
			router := o.Hosts[0].Path[1].Addr
			o.Intercept = func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
				if p.Request.TTL <= 2 {
					return ds
				}
				r := p.Error(router, probetest.Error{Type: 3, Code: 4})
				r.MTU = claim(p.Size)
				return []probetest.Delivery{{After: 10 * ms, Reply: r}}
			}
			s := run(t, o, trace.Options{MTU: true, Size: 1500, Queries: 1})
			if r := &s.result; r.Reached || r.Hops != 3 || r.Sent > 32*17 || len(r.Rows) != 3 {
				t.Errorf("%s", text(r))
			}
		})
	}
}
