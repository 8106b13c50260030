//go:build linux

package router_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/lab/router"
	"github.com/icmpx/icmpx/integration/labtest"
)

// BenchmarkEcho keeps a window of echo requests in flight. Each takes the
// router two packets.
func BenchmarkEcho(b *testing.B) {
	const window = 512
	for _, hops := range []int{1, 30} {
		b.Run(fmt.Sprintf("hops=%d", hops), func(b *testing.B) {
			n := build(b, lab.RoutedOptions{Router: router.Config{Hops: make([]router.Hop, hops), Delay: time.Millisecond}})
			p := newProber(b, n, false)
			payload := pattern(56)
			b.ResetTimer()
			for i := range b.N {
				if i >= window {
					p.next()
				}
				p.send(i&0xffff, payload)
			}
			for range min(b.N, window) {
				p.next()
			}
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// BenchmarkDelayError measures by captures at both ends how long packets take
// one way, against the configured 10 ms, at 1000 packets a second.
func BenchmarkDelayError(b *testing.B) {
	const delay = 10 * time.Millisecond
	n := build(b, lab.RoutedOptions{Router: router.Config{Delay: delay}})
	p := newProber(b, n, false)
	near, err := n.Client.Iface(0).Capture()
	labtest.OK(b, err)
	defer near.Close()
	far, err := n.At("server").Iface(0).Capture()
	labtest.OK(b, err)
	defer far.Close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	p.send(0, pattern(56)) // stamping begins
	p.next()
	b.ResetTimer()
	const window = 50 // more than are on their way
	for i := range b.N {
		<-tick.C
		p.send(1+i%60000, pattern(56))
		if i >= window {
			p.next()
		}
	}
	for range min(b.N, window) {
		p.next()
	}
	b.StopTimer()
	left, err := near.Frames()
	labtest.OK(b, err)
	came, err := far.Frames()
	labtest.OK(b, err)
	errs := transit(left, came, delay)
	slices.Sort(errs)
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		e := errs[int(q*float64(len(errs)-1))]
		b.ReportMetric(float64(e)/1000, fmt.Sprintf("us-p%g", 100*q))
	}
}

// transit pairs what left with what came, and returns how much longer than delay
// each took.
func transit(left, came []lab.Frame, delay time.Duration) []time.Duration {
	const seqAt = 26 // of an echo in an IPv4 packet without options
	echo := func(f lab.Frame) bool { return !f.Time.IsZero() && len(f.Data) == 84 && f.Data[0]>>4 == 4 }
	at := map[string]time.Time{}
	for _, f := range left {
		if f.Out && echo(f) {
			at[string(f.Data[seqAt:seqAt+2])] = f.Time
		}
	}
	var errs []time.Duration
	for _, f := range came {
		if f.Out || !echo(f) {
			continue
		}
		if sent, ok := at[string(f.Data[seqAt:seqAt+2])]; ok {
			errs = append(errs, f.Time.Sub(sent)-delay)
		}
	}
	return errs
}
