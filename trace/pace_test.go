package trace

import (
	"strings"
	"testing"
	"time"
)

// slotsOf are probes to one TTL, asked at a regular gap: + was answered, - was
// not.
func slotsOf(pattern string, gap, jitter time.Duration) []slot {
	var list []slot
	for i, c := range pattern {
		s := slot{first: time.Time{}.Add(time.Duration(i) * gap), prompt: c == '+'}
		s.RTT = 20 * time.Millisecond
		if i%2 == 1 {
			s.RTT += jitter
		}
		list = append(list, s)
	}
	return list
}

func TestRunsDry(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name    string
		pattern string
		gap     time.Duration
		jitter  time.Duration
		again   int // answered when they were asked again
		want    bool
	}{
		{"all answered", "++++++++++", 10 * ms, 0, 0, false},
		{"none answered", "----------", 10 * ms, 0, 1, false},
		{"one missing", "+++++++++-", 10 * ms, 0, 0, false},
		{"the burst and none", "++++++--", 10 * ms, 0, 0, true},
		{"less than the burst", "+++++---", 10 * ms, 0, 0, false},
		{"less than the burst, and one more later", "+++++---", 10 * ms, 0, 1, true},
		{"less than the burst, and one between", "++---+--", 10 * ms, 0, 1, false},
		{"of the burst, half was used up before", "+++-----+---------+----", 10 * ms, 0, 0, true},
		{"all of it was", "---+---------+---------+----", 10 * ms, 0, 0, true},
		{"some of it was, two of three", "+++++" + "-++-+-++-++-+-++-+-+", 600 * ms, 0, 0, true},
		{"all of it was, and one came", "---+----------", 10 * ms, 0, 1, false},
		{"less than the burst, at no usual pace", "+++---+----+----+---", 10 * ms, 0, 0, false},
		{"one in 100 ms", "++++++---+---------+----", 10 * ms, 0, 0, true},
		{"one in 100 ms, and jitter", "++++++---+----------+------+------", 10 * ms, 15 * ms, 0, true},
		{"one in 100 ms, and one too many", "++++++---++------+----", 10 * ms, 0, 0, false},
		{"one in 100 ms, and then long none", "++++++---+---------+---------------------------------", 10 * ms, 0, 0, false},
		{"one in 100 ms, and one too late", "++++++---+---------+------------------+---------+----", 10 * ms, 0, 0, false},
		{"one in 20 ms", "++++++++++++-+-+-+-+-+-", 10 * ms, 0, 0, true},
		{"one a second", "++++++++-+---+--+---+--+--", 300 * ms, 0, 0, true},
		{"one a second, two of three", "+++++++++++++++-++-++-++-", 660 * ms, 0, 0, true},
		{"two of three, but of no limit that is known", "+++++++++++++++-++-++-++-", 200 * ms, 0, 0, false},
		{"slower than any limit that is known", "+++++++-+-+-+-", 1500 * ms, 0, 0, true},
		{"two lost", "+++++++++-+++++-++++", 10 * ms, 0, 0, false},
		{"a tenth lost", "+++++++-+++++++++-++++++++-+++", 10 * ms, 0, 0, false},
		{"a third lost", "++++++-++-+-+++--+++", 10 * ms, 0, 0, false},
		{"a half lost", "++++++---+--+++-+----+-+++--+-", 10 * ms, 0, 0, false},
		{"a half lost, with jitter", "++++++---+--+++-+----+-+++--+-", 10 * ms, 5 * ms, 0, false},
		{"bursts of loss", "++++++----++++----++++----", 10 * ms, 0, 0, false},
		{"most of many lost", "++++++" + strings.Repeat("-------+-+", 9), 10 * ms, 0, 0, false},
	}
	for _, tt := range tests {
		o := Options{FirstTTL: 1, MaxTTL: 1}
		p := newPath(&o, target, time.Time{})
		p.hops[1].slots = slotsOf(tt.pattern, tt.gap, tt.jitter)
		p.hops[1].again.Answered = tt.again
		if got := p.runsDry(1, 1); got != tt.want {
			t.Errorf("%s: %s is taken for a limit: %v, want %v", tt.name, tt.pattern, got, tt.want)
		}
	}
}

// A bucket that is asked at any gap is found out, whatever its interval and
// phase, from the second permit on.
func TestSteady(t *testing.T) {
	const ms = time.Millisecond
	for gap := 10 * ms; gap <= 40*ms; gap += 3 * ms {
		for interval := 3 * gap; interval <= 20*gap; interval += 7 * ms {
			for phase := time.Duration(0); phase < interval; phase += gap/2 + 1 {
				pattern, tokens := "-", phase
				for range 60 {
					tokens += gap
					if tokens < interval {
						pattern += "-"
						continue
					}
					tokens -= interval
					pattern += "+"
				}
				slots := slotsOf(pattern, gap, 0)
				var list []*slot
				for i := range slots {
					list = append(list, &slots[i])
				}
				if !steady(list, true) {
					t.Fatalf("gap %v, interval %v, phase %v: %s is not steady", gap, interval, phase, pattern)
				}
			}
		}
	}
}
