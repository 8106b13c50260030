package probe_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// simulated returns an engine on a network in memory: a host 20 ms away, behind
// a router. On a real network the links are those of icmpx.ListenICMP.
func simulated() *probe.Engine {
	n := probetest.New(probetest.Options{Hosts: []probetest.Host{{
		Addr: netip.MustParseAddr("192.0.2.1"),
		Path: []probetest.Hop{{Addr: netip.MustParseAddr("198.51.100.1"), RTT: 5 * time.Millisecond}},
		Hop:  probetest.Hop{RTT: 20 * time.Millisecond},
	}}})
	return probe.New(probe.Config{}, n.Link(icmpx.IPv4))
}

func ExamplePing() {
	e := simulated()
	defer e.Close()
	dst := netip.MustParseAddr("192.0.2.1")
	stats, err := probe.Ping(context.Background(), e, dst, probe.PingOptions{
		Count:    3,
		Interval: 50 * time.Millisecond,
	}, func(ev *probe.PingEvent) {
		if ev.Kind == probe.PingReply {
			fmt.Printf("seq %d: %v from %v, %v\n", ev.Seq, ev.Result.RTT, ev.Result.Reply.From, ev.Result.Reply.Trust)
		}
	})
	fmt.Printf("%d of %d, %g%% loss, %v\n", stats.Received, stats.Sent, stats.LossPercent(), err)
	// Output:
	// seq 1: 20ms from 192.0.2.1, verified
	// seq 2: 20ms from 192.0.2.1, verified
	// seq 3: 20ms from 192.0.2.1, verified
	// 3 of 3, 0% loss, <nil>
}

func ExampleEngine_Do() {
	e := simulated()
	defer e.Close()
	// One hop away the TTL is used up: an answer too, and its Kind says which.
	r, err := e.Do(context.Background(), probe.Probe{
		Request: icmpx.Request{Dst: netip.MustParseAddr("192.0.2.1"), TTL: 1, Size: 84},
		Timeout: time.Second,
	})
	fmt.Println(r.Fate, r.Reply.Kind, r.Reply.From, r.RTT, err)
	// Output:
	// answered time_exceeded 198.51.100.1 5ms <nil>
}

func ExampleEngine_Start() {
	e := simulated()
	fates := make(map[probe.Fate]int)
	var open sync.WaitGroup
	for ref := range uint64(10) {
		p := probe.Probe{
			Request: icmpx.Request{Dst: netip.MustParseAddr("192.0.2.1"), Size: 84},
			Ref:     ref,
		}
		open.Add(1)
		err := e.Start(context.Background(), p, func(r *probe.Result) {
			fates[r.Fate]++ // all callbacks come from one goroutine
			if r.Fate.Final() {
				open.Done()
			}
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	open.Wait()
	if err := e.Close(); err != nil { // and none comes after Close
		fmt.Println(err)
	}
	fmt.Println(fates)
	// Output:
	// map[answered:10]
}

func ExampleTrip() {
	e := simulated()
	defer e.Close()
	file := bytes.Repeat([]byte("There and back again. "), 1000)
	stats, err := probe.Trip(context.Background(), e, netip.MustParseAddr("192.0.2.1"),
		bytes.NewReader(file), int64(len(file)), probe.TripOptions{Chunk: 1472}, nil)
	fmt.Printf("%d bytes in %d chunks, identical: %v, %v\n", stats.BytesReturned, stats.Done, stats.Identical, err)
	// Output:
	// 22000 bytes in 15 chunks, identical: true, <nil>
}
