package router

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkEngine is what a packet costs without system calls.
func BenchmarkEngine(b *testing.B) {
	for _, hops := range []int{1, 30} {
		for _, ttl := range []uint8{64, 1} {
			b.Run(fmt.Sprintf("hops=%d/ttl=%d", hops, ttl), func(b *testing.B) {
				e, err := newEngine(Config{Hops: make([]Hop, hops), Delay: ms}, testPorts(-1))
				if err != nil {
					b.Fatal(err)
				}
				f := frame(e.ports[0], echo(false, ttl, 1, 56))
				var out []*Packet
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					now := time.Duration(i) * time.Microsecond
					e.receive(now, 0, f)
					out = e.due(now, out[:0])
					for _, p := range out {
						e.put(p)
					}
				}
			})
		}
	}
}
