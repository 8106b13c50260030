package probe_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// TestPingQuery pings with a query other than echo: its replies count as such.
func TestPingQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := netip.MustParseAddr("192.0.2.1")
		n := probetest.New(probetest.Options{Hosts: []probetest.Host{{Addr: host, Hop: probetest.Hop{RTT: 3 * time.Millisecond}}}})
		e := probe.New(probe.Config{}, n.Link(icmpx.IPv4))
		defer e.Close()
		o := probe.PingOptions{Count: 2, Query: icmpx.ProtoTimestamp, Body: new(icmpx.Timestamp), PayloadLen: 1000}
		var kinds []icmpx.Kind
		s, err := probe.Ping(t.Context(), e, host, o, func(ev *probe.PingEvent) {
			if ev.Kind != probe.PingReply {
				t.Errorf("got an event of kind %d", ev.Kind)
				return
			}
			kinds = append(kinds, ev.Result.Reply.Kind)
			if ev.Result.RTT != 3*time.Millisecond || ev.Result.Reply.Bytes > 100 {
				t.Errorf("got %+v", ev.Result)
			}
		})
		if err != nil || s.Sent != 2 || s.Received != 2 || s.Errors != 0 {
			t.Errorf("got %+v, %v", s, err)
		}
		if len(kinds) != 2 || kinds[0] != icmpx.KindTimestampReply {
			t.Errorf("got %v", kinds)
		}
	})
}
