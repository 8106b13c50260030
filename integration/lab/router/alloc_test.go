//go:build !race

package router

import (
	"testing"
	"time"
)

// TestNoAllocation forwards a packet over 30 hops, and has one quoted, once all
// memory is there. (The race detector makes the compiler allocate.)
func TestNoAllocation(t *testing.T) {
	e, err := newEngine(Config{Hops: make([]Hop, 30), Delay: ms, Back: Way{Jitter: ms}}, testPorts(-1))
	if err != nil {
		t.Fatal(err)
	}
	var out []*Packet
	frames := [][]byte{frame(e.ports[0], echo(false, 64, 1, 56)), frame(e.ports[0], echo(true, 64, 1, 56)),
		frame(e.ports[0], echo(false, 9, 1, 56)), frame(e.ports[0], echo(true, 9, 1, 56))}
	now := time.Duration(0)
	allocs := testing.AllocsPerRun(1000, func() {
		for _, f := range frames {
			e.receive(now, 0, f)
		}
		now += 10 * ms
		out = e.due(now, out[:0])
		for _, p := range out {
			e.put(p)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
