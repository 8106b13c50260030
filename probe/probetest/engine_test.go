package probetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
	"github.com/icmpx/icmpx/probe/probetest"
)

// watch sends probes through an engine, one per second, and returns the results
// of each as words, in order.
func watch(t *testing.T, o probetest.Options, probes int, change func(*probe.Probe)) (results []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := probe.New(probe.Config{Timeout: 2 * time.Second}, probetest.New(o).Link(icmpx.IPv4))
		words := make([]string, probes)
		for i := range probes {
			p := probe.Probe{Request: icmpx.Request{Dst: host4, Size: 84, TOS: -1}, Ref: uint64(i)}
			if change != nil {
				change(&p)
			}
			err := e.Start(t.Context(), p, func(r *probe.Result) {
				words[r.Probe.Ref] = strings.TrimSpace(words[r.Probe.Ref] + " " + word(r))
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		results = words
	})
	return results
}

// word writes a result as its fate and what is odd about it.
func word(r *probe.Result) string {
	w := r.Fate.String()
	if r.Fate == probe.Answered && r.Reply.Kind == icmpx.KindEchoReply {
		w = r.RTT.String()
	} else if r.Fate == probe.Answered || r.Fate == probe.Notice {
		w += "-" + r.Reply.Kind.String()
	}
	for what, set := range map[string]bool{
		"late": r.Late, "stale": r.Stale, "alias": r.Alias, "nowire": r.NoWire,
		"forged":                r.Reply.Trust == icmpx.Forged,
		r.Damage.Class.String(): r.Damage.Class != probe.Intact,
	} {
		if set {
			w += "-" + what
		}
	}
	return w
}

// What the network does to the second of two probes, and what the engine makes
// of it.
func TestEngineOverNet(t *testing.T) {
	damage := func(change func([]byte) []byte) probetest.Effect { return probetest.Corrupt(change) }
	tests := []struct {
		name   string
		effect probetest.Effect
		want   string
	}{
		{"lost", probetest.Drop(), "lost"},
		{"swallowed", probetest.Swallow(), "lost-nowire"},
		{"late", probetest.Delay(3 * time.Second), "lost extra-late"},
		{"duplicate", probetest.Duplicate(1, ms), "20ms extra"},
		{"forged first", probetest.Forge(1, -ms), "rejected-forged 20ms"},
		{"forged alone", probetest.Sequence(probetest.Drop(), probetest.Forge(1, 0)), "rejected-forged lost"},
		{"stale", probetest.Replay(1, -ms), "rejected-stale 20ms"},
		{"unreachable", probetest.Refuse(probetest.Error{Type: 3, Code: 1}), "answered-unreachable"},
		{"redirect", probetest.Redirect(router3, 1), "notice-redirect 20ms"},
		{"source quench", probetest.SourceQuench(), "notice-source_quench 20ms"},
		{"other address", probetest.AnswerFrom(other4), "rejected-alias lost"},
		{"flipped", damage(probetest.Flip(100)), "20ms-flipped"},
		{"truncated", damage(probetest.Truncate(20)), "20ms-truncated"},
		{"padded", damage(probetest.Pad(4)), "20ms-padded"},
		{"inserted", damage(probetest.Insert(12, 4)), "20ms-shifted"},
		{"missing", damage(probetest.Remove(12, 4)), "20ms-shifted"},
		{"zeroed", damage(probetest.Zero(12, 40)), "20ms-zeroed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := watch(t, with(probetest.Rule{When: probetest.When{First: 2}, Do: tt.effect}), 2, nil)
			if want := []string{"20ms", tt.want}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The engine's RTT is the wire's: not the time of reading, nor what the wall
// clock did meanwhile.
func TestEngineTimes(t *testing.T) {
	o := with()
	o.TxDelay, o.RxDelay = 3*ms, 4*ms
	o.Steps = []probetest.Step{{At: time.Second + 10*ms, By: -time.Hour}, {At: 2500 * ms, By: 2 * time.Hour}}
	if got, want := watch(t, o, 4, nil), []string{"20ms", "27ms", "20ms", "20ms"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A receiver that is stalled past every deadline loses nothing.
func TestEngineStall(t *testing.T) {
	o := with()
	o.Stalls = []probetest.Window{{From: ms, To: 9 * time.Second}}
	if got, want := watch(t, o, 4, nil), slices.Repeat([]string{"20ms"}, 4); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEngineSendErrors(t *testing.T) {
	o := with()
	o.Outages = []probetest.Outage{{Window: probetest.Window{From: time.Second, To: 3 * time.Second}, Err: syscall.EPERM}}
	if got, want := watch(t, o, 4, nil), []string{"20ms", "failed", "failed", "20ms"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPingOverNet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := plain()
		h.Rules = []probetest.Rule{{When: probetest.When{Every: 10}, Do: probetest.Drop()}}
		e := probe.New(probe.Config{}, probetest.New(probetest.Options{Hosts: []probetest.Host{h}}).Link(icmpx.IPv4))
		s, err := probe.Ping(context.Background(), e, host4, probe.PingOptions{Count: 100}, func(*probe.PingEvent) {})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d/%d, longest loss %d, p99 %v, mdev %v", s.Received, s.Sent, s.LongestLoss, s.RTT.P99, s.RTT.Mdev)
		if want := "90/100, longest loss 1, p99 20ms, mdev 0s"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		e.Close()
	})
}
