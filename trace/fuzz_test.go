package trace_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
	"github.com/icmpx/icmpx/trace"
)

// A liar answers packets with whatever its bytes say: nothing, true answers,
// answers to other packets, to none, twice, late, with any type and quote.
type liar struct {
	data []byte
	seen []*probetest.Packet
}

func (l *liar) byte() byte {
	if len(l.data) == 0 {
		return 0
	}
	b := l.data[0]
	l.data = l.data[1:]
	return b
}

// nobody marks an answer that belongs to no packet.
const nobody = 1 << 20

func (l *liar) answer(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
	l.seen = append(l.seen, p)
	how := l.byte()
	if how&1 == 0 {
		ds = nil
	}
	for i := range ds {
		ds[i].Reply.IfIndex = int(p.Request.TTL)
	}
	for range how >> 1 & 3 {
		ds = append(ds, l.delivery(p))
	}
	return ds
}

// delivery makes up an answer. IfIndex says to which packet it belongs.
func (l *liar) delivery(p *probetest.Packet) probetest.Delivery {
	how := l.byte()
	owner := p
	if how&1 != 0 {
		owner = l.seen[int(l.byte())%len(l.seen)]
	}
	from := netip.AddrFrom4([4]byte{198, 51, 100, l.byte()})
	if how&2 != 0 {
		from = dst4
	}
	types := []probetest.Error{{Type: 11}, {Type: 3}, {Type: 12}, {Type: 4}, {Type: 5}, {Type: 3, Code: 4}, {Type: 99}}
	e := types[int(l.byte())%len(types)]
	if e.Type == 3 && e.Code == 0 {
		e.Code = l.byte() % 16
	}
	r := owner.Error(from, e)
	if how&4 != 0 {
		r = owner.Answer(from)
	}
	r.IfIndex = int(owner.Request.TTL)
	switch how >> 3 & 7 {
	case 1:
		r.Key.Flow, r.IfIndex = r.Key.Flow+1, nobody
	case 2:
		r.Key.Tag, r.IfIndex = r.Key.Tag+30000, nobody
	case 3:
		r.Dst, r.IfIndex = netip.AddrFrom4([4]byte{203, 0, 113, 77}), nobody
	case 4:
		r.Quote.Proto, r.IfIndex = r.Quote.Proto+1, nobody
		if !r.Kind.Quotes() {
			r.IfIndex = int(owner.Request.TTL)
		}
	}
	r.MTU, r.TTL, r.Quote.TTL, r.Quote.TOS = int(l.byte())*8-80, l.byte(), l.byte(), l.byte()
	r.Quote.TotalLen, r.Quote.SrcPort = int(l.byte()), r.Quote.SrcPort+uint16(how>>6)
	r.Ext = l.data[:min(len(l.data), int(how>>5)*3)]
	return probetest.Delivery{After: time.Duration(l.byte()) * 7 * ms, Reply: r}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"", "000277", "\x00\x01\x07", "\xff\xff\xff\xff\xff\xff\xff", "\x07\x01\x02\x00\x03\x0b\x00\x10\x20\x30\x40\x50\x60\x70\x80"} {
		for m := range uint8(5) {
			f.Add(m, uint8(3), []byte(seed+seed+seed))
		}
	}
	f.Fuzz(func(t *testing.T, method, shape uint8, data []byte) {
		o := trace.Options{
			Method: trace.Method(method % 5), Queries: int(shape&3) + 1, MTU: shape&4 != 0,
			FirstTTL: int(shape>>3&1) + 1, MaxTTL: 40, InFlight: int(shape >> 4 & 3), SendWait: time.Duration(shape>>6) * ms,
		}
		net := chain(12)
		net.Classic = o.Method == trace.UDPClassic
		l := &liar{data: data}
		net.Intercept = l.answer
		runWith(t, net, func(ctx context.Context, e *probe.Engine, n *probetest.Net) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			begin := time.Now()
			r, err := trace.Run(ctx, e, dst4, o, nil)
			if err != nil || time.Since(begin) != r.Duration {
				t.Fatalf("error %v after %v, %v", err, time.Since(begin), r.Duration)
			}
			checkLied(t, &r, &o, n.Packets())
		})
	})
}

func checkLied(t *testing.T, r *trace.Result, o *trace.Options, packets int) {
	most := 40 * o.Queries * 2 * 17
	if r.Sent != packets || r.Sent > most+3 || r.Hops > o.MaxTTL {
		t.Errorf("%d packets, %s", packets, text(r))
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.TTL != o.FirstTTL+i || len(row.Probes) != o.Queries || row.End && i != len(r.Rows)-1 {
			t.Fatalf("row %d is %+v", i, row)
		}
		for k := range row.Probes {
			p := &row.Probes[k]
			if p.State == trace.Open || p.State == trace.Answered && p.Kind == icmpx.KindUnknown && p.Type == 0 {
				t.Errorf("row %d: %+v", i, p)
			}
			if p.State == trace.Answered && p.IfIndex != p.TTL || p.TTL != row.TTL && !row.End {
				t.Errorf("row %d: the answer to TTL %d stands for %d: %+v", i, p.IfIndex, p.TTL, p)
			}
		}
	}
}
