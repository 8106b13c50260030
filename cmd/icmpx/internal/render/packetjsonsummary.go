package render

import (
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/conversation"
)

// A CaptureSummary is what is said at the end of a capture.
type CaptureSummary struct {
	Tally    CaptureTally
	OwnDrops int64 // frames that this host dropped before they were seen; negative: not known
	Stats    *conversation.Stats
	Hosts    bool     // by pair of hosts as well
	Damage   []string // what is wrong with the capture itself
}

// AppendSummary appends the event that closes a capture.
func (*PacketJSON) AppendSummary(b []byte, s *CaptureSummary) []byte {
	o := event(b, "summary")
	o.int("frames", int64(s.Tally.Frames))
	o.int("icmp", int64(s.Tally.ICMP))
	o.int("selected", int64(s.Tally.Selected))
	o.int("damaged", int64(s.Tally.Damaged))
	o.orNull("own_drops", s.OwnDrops, s.OwnDrops >= 0)
	if len(s.Damage) > 0 {
		o.strings("damage", s.Damage)
	}
	stats := s.Stats
	if stats == nil {
		stats = new(conversation.Stats)
	}
	o.byType(stats.ByType)
	o.conversations(stats)
	if s.Hosts {
		o.byHosts(stats)
	}
	return o.line()
}

func (o *object) byType(list []conversation.TypeCount) {
	o.key("by_type")
	o.b = append(o.b, '[')
	for i := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		n := &list[i]
		c := begin(o.b)
		c.int("v", int64(n.Family))
		c.int("type", int64(n.Type))
		c.int("code", int64(n.Code))
		c.str("name", icmpx.Describe(n.Family, n.Type, n.Code))
		c.count("messages", n.Messages)
		c.count("bytes", n.Bytes)
		o.b = c.end()
	}
	o.b = append(o.b, ']')
}

// conversations appends what became of the requests.
func (o *object) conversations(s *conversation.Stats) {
	for _, n := range [...]struct {
		key   string
		count uint64
	}{
		{"messages", s.Messages}, {"fragments", s.Fragments}, {"bytes", s.Bytes},
		{"requests", s.Requests}, {"replies", s.Replies}, {"errors", s.Errors}, {"unanswered", s.Unanswered},
		{"waiting", s.Waiting}, {"forgotten", s.Forgotten}, {"repeats", s.Repeats}, {"duplicates", s.Duplicates},
		{"late", s.Late}, {"more", s.More}, {"unasked", s.Unasked}, {"copies", s.Copies}, {"all_errors", s.AllErrors},
	} {
		o.count(n.key, n.count)
	}
	o.percent("loss_percent", s.LossPercent())
	o.int("duration_ns", int64(s.Duration()))
	o.spread("rtt_ns", &s.RTT, true)
}

func (o *object) byHosts(s *conversation.Stats) {
	o.key("by_hosts")
	o.b = append(o.b, '[')
	for i := range s.ByHosts {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		p := &s.ByHosts[i]
		c := begin(o.b)
		c.addr("src", p.Src)
		c.addr("dst", p.Dst)
		c.hostPair(p)
		o.b = c.end()
	}
	o.b = append(o.b, ']')
	if s.Folded > 0 {
		o.key("other_hosts")
		c := begin(o.b)
		c.hostPair(&s.Others)
		o.b = c.end()
	}
}

func (o *object) hostPair(p *conversation.HostPair) {
	o.count("packets", p.Packets)
	o.count("bytes", p.Bytes)
	o.count("requests", p.Requests)
	o.count("replies", p.Replies)
	o.count("unanswered", p.Unanswered)
	o.count("errors", p.Errors)
	o.count("duplicates", p.Duplicates)
	o.count("unasked", p.Unasked)
	o.spread("rtt_ns", &p.RTT, false)
}

// count appends a number that only grows.
func (o *object) count(k string, n uint64) { o.int(k, int64(min(n, 1<<63-1))) }

// spread appends a summary of round-trip times, or null if there were none.
func (o *object) spread(k string, r *conversation.RTT, quantiles bool) {
	if r.N == 0 {
		o.null(k)
		return
	}
	o.key(k)
	c := begin(o.b)
	c.int("min", int64(r.Min))
	c.int("avg", int64(r.Avg))
	c.int("max", int64(r.Max))
	c.int("mdev", int64(r.Mdev))
	if quantiles {
		c.int("p50", int64(r.P50))
		c.int("p90", int64(r.P90))
		c.int("p95", int64(r.P95))
		c.int("p99", int64(r.P99))
	}
	o.b = c.end()
}
