package pmtu_test

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/pmtu"
	"github.com/icmpx/icmpx/probe/probetest"
)

// A network that says anything ends the search in time, within its packets, and
// with bounds that make sense.
func TestHostile(t *testing.T) {
	for seed := range uint64(500) {
		synctest.Test(t, func(t *testing.T) {
			tr := drawn(seed)
			rng := rand.New(rand.NewPCG(seed, 7))
			tr.net.Intercept = nonsense(rng)
			o := pmtu.Options{
				LinkMTU: tr.link, Method: pmtu.Method(rng.IntN(4)), Hops: rng.IntN(2) == 0, LadderOnly: rng.IntN(4) == 0,
				MaxPackets: 10 + rng.IntN(300), RouteMTU: rng.IntN(3000),
			}
			s := inBubble(t, tr.net, o)
			if r := &s.result; s.err != nil || s.sent > o.MaxPackets || r.Duration > 31*time.Second || r.AtMost > tr.link {
				t.Errorf("seed %d: %v after %d packets\n%s", seed, s.err, s.sent, text(r))
			}
			s.check(t)
		})
	}
}

// nonsense adds, changes and removes answers at random.
func nonsense(rng *rand.Rand) probetest.Effect {
	rate := rng.Float64() / 2
	kinds := []icmpx.Kind{
		icmpx.KindTooBig, icmpx.KindTooBig, icmpx.KindTimeExceeded, icmpx.KindUnreachable,
		icmpx.KindParamProblem, icmpx.KindSourceQuench, icmpx.KindEchoReply,
	}
	return func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		for rng.Float64() < rate {
			r := p.Error(netip.Addr{}, probetest.Error{Type: 3, Code: 4})
			r.Kind, r.Code, r.From = kinds[rng.IntN(len(kinds))], uint8(rng.IntN(3)), p.Request.Dst
			if rng.IntN(2) == 0 {
				a := r.From.AsSlice()
				a[len(a)-1] = byte(rng.IntN(4))
				r.From, _ = netip.AddrFromSlice(a)
			}
			r.MTU = []int{0, -1, 1, 67, 68, 1280, p.Size - 1, p.Size, math.MaxInt32, rng.IntN(9216)}[rng.IntN(10)]
			r.Quote.TTL, r.TTL, r.Frag = uint8(rng.IntN(256)), uint8(rng.IntN(256)), rng.IntN(2000)
			if rng.IntN(3) == 0 {
				r.Quote.Payload = nil
			}
			ds = append(ds, probetest.Delivery{After: time.Duration(rng.IntN(300)) * ms, Reply: r})
		}
		if len(ds) > 0 && rng.Float64() < rate/2 {
			ds = ds[1:]
		}
		return ds
	}
}
