package probetest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// describe writes answers as kind@time, with what is odd about them.
func describe(as []arrival, want []byte) string {
	var words []string
	for _, a := range as {
		w := fmt.Sprintf("%v@%v", a.Kind, a.after)
		if a.From != host4 {
			w += " from " + a.From.String()
		}
		if a.Kind == icmpx.KindEchoReply && !bytes.Equal(a.Payload, want) {
			w += " changed"
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

func TestEffects(t *testing.T) {
	tests := []struct {
		name   string
		effect probetest.Effect
		want   string // of the second packet, sent 1 s after the first
	}{
		{"drop", probetest.Drop(), ""},
		{"swallow", probetest.Swallow(), ""},
		{"unstamped", probetest.Unstamped(), "echo_reply@20ms"},
		{"delay", probetest.Delay(30 * ms), "echo_reply@50ms"},
		{"hurry", probetest.Delay(-time.Second), "echo_reply@0s"},
		{"duplicate", probetest.Duplicate(2, ms), "echo_reply@20ms, echo_reply@21ms, echo_reply@22ms"},
		{"other address", probetest.AnswerFrom(other4), "echo_reply@20ms from 203.0.113.10"},
		{"corrupt", probetest.Corrupt(probetest.Flip(80)), "echo_reply@20ms changed"},
		{"forged before", probetest.Forge(2, -5*ms), "echo_reply@15ms changed, echo_reply@15ms changed, echo_reply@20ms"},
		{"forged after", probetest.Forge(1, 5*ms), "echo_reply@20ms, echo_reply@25ms changed"},
		{"forged instead", probetest.Sequence(probetest.Drop(), probetest.Forge(1, 0)), "echo_reply@20ms changed"},
		{"stale", probetest.Replay(1, -ms), "echo_reply@19ms changed, echo_reply@20ms"},
		{"older than any", probetest.Replay(2, -ms), "echo_reply@20ms"},
		{"refused", probetest.Refuse(probetest.Error{3, 1}), "unreachable@20ms"},
		{"redirect", probetest.Redirect(router3, 1), "redirect@20ms, echo_reply@20ms"},
		{"quench", probetest.SourceQuench(), "source_quench@20ms, echo_reply@20ms"},
		{"overflow", probetest.Overflow(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := with(probetest.Rule{When: probetest.When{First: 2}, Do: tt.effect})
			run(t, o, func(b *bench) {
				b.ask(echo(1))
				want := make([]byte, 56)
				icmpx.FillPayload(want, echo(2).Token, nil)
				if got := describe(b.ask(echo(2)), want); got != tt.want {
					b.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestStampEffects(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*probetest.Options)
		want   []string
	}{
		"stamped":   {func(*probetest.Options) {}, []string{"sent", "echo_reply"}},
		"swallowed": {func(o *probetest.Options) { o.Rules = []probetest.Rule{always(probetest.Swallow())} }, nil},
		"withheld":  {func(o *probetest.Options) { o.Rules = []probetest.Rule{always(probetest.Unstamped())} }, []string{"echo_reply"}},
		"at a hop":  {func(o *probetest.Options) { o.Hosts[0].Rules = []probetest.Rule{always(probetest.Swallow())} }, nil},
		"no stamps": {func(o *probetest.Options) { o.NoTxStamps = true }, []string{"echo_reply"}},
		"user":      {func(o *probetest.Options) { o.UserStamps = true }, []string{"echo_reply"}},
	} {
		o := with()
		tt.change(&o)
		run(t, o, func(b *bench) {
			b.send(echo(1))
			all := b.hear(time.Second)
			b.wantKinds(all, tt.want...)
			if o.UserStamps && (all[0].Stamp != icmpx.StampUser || !all[0].At.Equal(all[0].Read)) {
				b.Errorf("%s: %+v", name, all[0])
			}
		})
	}
}

// A redirect comes from the router whose rule it is, with the packet as it was
// there, and before the answer.
func TestNoticeOfRouter(t *testing.T) {
	h := plain()
	h.Path[1].Rules = []probetest.Rule{always(probetest.Redirect(router3, 1))}
	run(t, probetest.Options{Hosts: []probetest.Host{h}}, func(b *bench) {
		as := b.ask(echo(1))
		b.wantKinds(as, "redirect", "echo_reply")
		if r := as[0]; r.From != router2 || r.Gateway != router3 || r.after != 10*ms || r.Quote.TTL != 63 || r.Type != 5 || r.Code != 1 {
			b.Errorf("redirect: %+v", r)
		}
	})
}

func TestWhen(t *testing.T) {
	tests := []struct {
		name string
		when probetest.When
		want string // of 12 packets, one per second: x where the rule applied
	}{
		{"always", probetest.When{}, "xxxxxxxxxxxx"},
		{"every third", probetest.When{Every: 3}, "..x..x..x..x"},
		{"from the third to the fifth", probetest.When{First: 3, Last: 5}, "..xxx......."},
		{"every second from the third on", probetest.When{First: 3, Every: 2}, "...x.x.x.x.x"},
		{"in a window", probetest.When{During: probetest.Window{From: 2 * time.Second, To: 4 * time.Second}}, "..xx........"},
		{"large ones", probetest.When{Size: 85}, ".x.x.x.x.x.x"},
		{"large ones, every second", probetest.When{Size: 85, Every: 2}, "...x...x...x"},
		{"certainly", probetest.When{Chance: 1}, "xxxxxxxxxxxx"},
		{"at random", probetest.When{Chance: 0.5}, ""},
	}
	for _, tt := range tests {
		once := func() (got string) {
			run(t, with(probetest.Rule{When: tt.when, Do: probetest.Drop()}), func(b *bench) {
				for i := range 12 {
					r := echo(1)
					r.Size += i % 2
					b.send(r)
					got += map[int]string{0: "x", 1: "."}[len(answers(b.hear(time.Second)))]
				}
			})
			return got
		}
		got := once()
		switch {
		case tt.want != "" && got != tt.want:
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		case got != once():
			t.Errorf("%s: the same seed gave something else", tt.name)
		case tt.want == "" && (!strings.Contains(got, "x") || !strings.Contains(got, ".")):
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestCorruptions(t *testing.T) {
	tests := []struct {
		change func([]byte) []byte
		want   string
	}{
		{probetest.Flip(0, 15, 999, -1), "`\xe2cdef"},
		{probetest.Truncate(2), "ab"},
		{probetest.Truncate(99), "abcdef"},
		{probetest.Pad(2), "abcdef\x00\x00"},
		{probetest.Pad(-1), "abcdef"},
		{probetest.Insert(2, 1), "ab\xeecdef"},
		{probetest.Insert(99, 1), "abcdef\xee"},
		{probetest.Remove(2, 3), "abf"},
		{probetest.Remove(5, 99), "abcde"},
		{probetest.Remove(3, -2), "abcdef"},
		{probetest.Zero(1, 3), "a\x00\x00def"},
		{probetest.Zero(4, 99), "abcd\x00\x00"},
		{probetest.Zero(4, 1), "abcdef"},
	}
	for i, tt := range tests {
		if got := string(tt.change([]byte("abcdef"))); got != tt.want {
			t.Errorf("%d: %q, want %q", i, got, tt.want)
		}
	}
}

func TestIntercept(t *testing.T) {
	o := with()
	o.Intercept = func(p *probetest.Packet, ds []probetest.Delivery) []probetest.Delivery {
		if p.Number%2 == 0 {
			return ds
		}
		r := p.Error(router3, probetest.Error{3, 7})
		return []probetest.Delivery{{After: time.Duration(p.Number) * time.Second, Reply: r}, {After: 9 * time.Second, Reply: p.Answer(other4)}}
	}
	run(t, o, func(b *bench) {
		for i, want := range []string{"unreachable@1s from 198.51.100.3, echo_reply@9s from 203.0.113.10 changed", "echo_reply@20ms changed",
			"unreachable@3s from 198.51.100.3, echo_reply@9s from 203.0.113.10 changed"} {
			if got := describe(b.ask(echo(1)), nil); got != want {
				b.Errorf("packet %d: %q, want %q", i+1, got, want)
			}
		}
	})
}

// Packet.Answer is the answer that the protocol has.
func TestPacketAnswer(t *testing.T) {
	o := with()
	o.Intercept = func(p *probetest.Packet, _ []probetest.Delivery) []probetest.Delivery {
		return []probetest.Delivery{{Reply: p.Answer(host4)}}
	}
	run(t, o, func(b *bench) {
		for proto, want := range map[icmpx.Proto]string{
			icmpx.ProtoEcho: "echo_reply", icmpx.ProtoUDP: "udp_answer", icmpx.ProtoTCPSYN: "tcp_open", icmpx.ProtoMask: "mask_reply",
		} {
			as := b.ask(icmpx.Request{Proto: proto, Dst: host4})
			b.wantKinds(as, want)
			if as[0].TTL != 62 {
				b.Errorf("%s: TTL %d, want 62", want, as[0].TTL)
			}
		}
	})
}

func TestSendErrors(t *testing.T) {
	o := with()
	o.SendErr = func(r *icmpx.Request) error {
		if r.Key.Tag == 3 {
			return syscall.EPERM
		}
		return nil
	}
	o.Outages = []probetest.Outage{
		{Window: probetest.Window{From: time.Second, To: 2 * time.Second}, Err: syscall.ENETUNREACH},
		{Window: probetest.Window{From: 3 * time.Second, To: 4 * time.Second}},
	}
	run(t, o, func(b *bench) {
		if n, err := b.link.Send([]icmpx.Request{echo(1), echo(2), echo(3), echo(4)}); n != 2 || !errors.Is(err, syscall.EPERM) {
			b.Errorf("sent %d, %v; want 2, EPERM", n, err)
		}
		b.hear(time.Second - 10*ms)
		b.send(echo(5)) // its answer finds the interface down
		b.wantKinds(b.hear(10*ms), "sent")
		if _, err := b.link.Send([]icmpx.Request{echo(6)}); !errors.Is(err, syscall.ENETUNREACH) {
			b.Errorf("send: %v", err)
		}
		b.wantKinds(b.hear(2 * time.Second))
		b.send(echo(7)) // lost before it leaves
		b.wantKinds(b.hear(time.Second))
		b.send(echo(8))
		b.wantKinds(b.hear(time.Second), "sent", "echo_reply")

		b.net.Fail(syscall.ENOBUFS)
		if n, err := b.link.Send([]icmpx.Request{echo(9)}); n != 0 || !errors.Is(err, syscall.ENOBUFS) {
			b.Errorf("sent %d, %v", n, err)
		}
		b.net.Fail(nil)
		b.send(echo(10))
	})
}

func TestClockStep(t *testing.T) {
	o := with()
	o.Steps = []probetest.Step{{At: 10 * ms, By: time.Hour}}
	run(t, o, func(b *bench) {
		rs := []icmpx.Request{echo(1)}
		b.link.Send(rs)
		all := b.hear(time.Second)
		sent, got := all[0], all[1]
		if d := got.At.Sub(sent.At); d != time.Hour+20*ms {
			b.Errorf("stamps %v apart", d)
		}
		if d := got.ClockOffset - rs[0].ClockOffset; d != time.Hour || sent.ClockOffset != rs[0].ClockOffset {
			b.Errorf("clock offsets %v apart", d)
		}
		if d := got.Read.Sub(rs[0].Sent); d != 20*ms {
			b.Errorf("read after %v", d)
		}
		b.net.StepClock(-2 * time.Hour)
		b.link.Send(rs)
		all = b.hear(time.Second)
		if d := all[1].At.Sub(all[0].At); d != 20*ms || all[1].ClockOffset != rs[0].ClockOffset {
			b.Errorf("stamps %v apart after the step", d)
		}
		if d := rs[0].ClockOffset - got.ClockOffset; d != -2*time.Hour {
			b.Errorf("clock offset moved by %v", d)
		}
	})
}

func TestStall(t *testing.T) {
	o := with()
	o.Stalls = []probetest.Window{{From: time.Second, To: 4 * time.Second}}
	run(t, o, func(b *bench) {
		b.hear(time.Second - ms)
		b.send(echo(1))
		b.link.SetRecvDeadline(b.start.Add(2 * time.Second))
		rs := make([]icmpx.Reply, 4)
		b.link.Recv(rs) // the transmit stamp, before the stall
		n, err := b.link.Recv(rs)
		if since := time.Since(b.start); n != 1 || err != nil || since != 4*time.Second {
			b.Fatalf("recv: %d, %v after %v", n, err, since)
		}
		if at := rs[0].At.Sub(b.start); at != time.Second+19*ms {
			b.Errorf("arrived at %v", at)
		}
		b.net.Stall(time.Second)
		b.link.Recv(rs)
		if since := time.Since(b.start); since != 5*time.Second {
			b.Errorf("the deadline came after %v", since)
		}
	})
}

func TestBuffer(t *testing.T) {
	o := with(probetest.Rule{When: probetest.When{First: 20, Last: 20}, Do: probetest.Overflow()})
	o.Buffer, o.NoTxStamps = 4, true
	run(t, o, func(b *bench) {
		for i := range uint32(10) {
			b.send(echo(i + 1))
		}
		time.Sleep(time.Second)
		var tags []uint32
		for _, a := range b.hear(0) {
			tags = append(tags, a.Key.Tag)
			if a.Drops != 6 {
				b.Errorf("%d drops reported, want 6", a.Drops)
			}
		}
		if !slices.Equal(tags, []uint32{1, 2, 3, 4}) {
			b.Errorf("kept %v", tags)
		}
		for i := range uint32(10) {
			b.send(echo(i + 11))
			b.hear(100 * ms)
		}
		if as := b.ask(echo(21)); as[0].Drops != 7 {
			b.Errorf("%d drops reported, want 7", as[0].Drops)
		}
	})
}

func TestSetHost(t *testing.T) {
	run(t, with(), func(b *bench) {
		b.ask(echo(1))
		h := plain()
		h.RTT = 70 * ms
		b.net.SetHost(h)
		if as := b.ask(echo(2)); as[0].after != 70*ms {
			b.Errorf("answer after %v", as[0].after)
		}
	})
}

func TestNewPanics(t *testing.T) {
	for name, change := range map[string]func(*probetest.Options){
		"no address":    func(o *probetest.Options) { o.Hosts[0].Addr = netip.Addr{} },
		"mixed path":    func(o *probetest.Options) { o.Hosts[0].Path[0].Addr = router6 },
		"mixed NAT":     func(o *probetest.Options) { o.Hosts[0].Path[0].NAT = router6 },
		"negative time": func(o *probetest.Options) { o.Hosts[0].RTT = -1 },
		"loss":          func(o *probetest.Options) { o.Hosts[0].Loss = 1.1 },
		"empty rule":    func(o *probetest.Options) { o.Hosts[0].Rules = []probetest.Rule{{}} },
		"negative rule": func(o *probetest.Options) {
			o.Rules = []probetest.Rule{{When: probetest.When{Every: -1}, Do: probetest.Drop()}}
		},
		"endless stall": func(o *probetest.Options) { o.Stalls = []probetest.Window{{}} },
		"chance": func(o *probetest.Options) {
			o.Rules = []probetest.Rule{{When: probetest.When{Chance: 2}, Do: probetest.Drop()}}
		},
		"alternative":      func(o *probetest.Options) { o.Hosts[0].Path[0].Or = []probetest.Hop{{Addr: router6}} },
		"negative buffer":  func(o *probetest.Options) { o.Buffer = -1 },
		"negative policer": func(o *probetest.Options) { o.Hosts[0].Forward.Rate = -1 },
		"negative quote":   func(o *probetest.Options) { o.Hosts[0].QuoteLen = -1 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: New took it", name)
				}
			}()
			o := with()
			change(&o)
			probetest.New(o)
		}()
	}
}
