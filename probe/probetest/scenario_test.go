package probetest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// load reads a scenario of testdata.
func load(t *testing.T, name string) probetest.Options {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	o, err := probetest.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return o
}

func TestScenarioFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*.net")
	if err != nil || len(names) < 4 {
		t.Fatalf("found %d scenarios, %v", len(names), err)
	}
	for _, name := range names {
		o := load(t, filepath.Base(name))
		if len(o.Hosts) == 0 {
			t.Errorf("%s has no host", name)
		}
	}
}

func TestChainScenario(t *testing.T) {
	run(t, load(t, "chain.net"), func(b *bench) {
		for hop := range uint8(5) {
			b.wantKinds(b.ask(ttl(hop+1)), "time_exceeded")
		}
		as := b.ask(ttl(6))
		b.wantKinds(as, "echo_reply")
		if as[0].after != 25*ms {
			b.Errorf("answer after %v", as[0].after)
		}
	})
}

func TestBlackHoleScenario(t *testing.T) {
	run(t, load(t, "blackhole.net"), func(b *bench) {
		for size, want := range map[int][]string{1500: nil, 1401: nil, 1400: {"echo_reply"}} {
			r := echo(1)
			r.Size, r.DF = size, icmpx.DFProbe
			b.wantKinds(b.ask(r), want...)
		}
	})
}

func TestParseEverything(t *testing.T) {
	o := load(t, "everything.net")
	h := o.Hosts[0]
	switch {
	case o.Seed != 7, o.MTU != 9000, o.LastTag != 100, o.Buffer != 50, !o.Classic, !o.NoTxStamps,
		o.TxDelay != ms/100, o.RxDelay != ms/50, len(o.Steps) != 1, len(o.Stalls) != 1, len(o.Outages) != 2,
		o.Outages[0].Err == nil, o.Outages[1].Err != nil, len(o.Rules) != 1, len(o.Hosts) != 2:
		t.Errorf("options: %+v", o)
	case len(h.Path) != 3, len(h.Path[1].Or) != 2, len(h.Path[1].Or[1].Rules) != 1, len(h.Rules) != 2, len(h.Path[0].Rules) != 1:
		t.Errorf("host: %+v", h)
	case h.Path[0].Loss != 0.125, h.Path[0].Answers != probetest.Policer{Burst: 6, Rate: 1}, h.Path[0].Claim != -1,
		*h.Path[0].TOS != 0x20, len(h.Path[0].Ext) != 16, h.Path[2].Addr.IsValid(), h.Path[0].Reject != probetest.Error{3, 13}:
		t.Errorf("hop: %+v", h.Path[0])
	case len(h.OpenUDP) != 2, len(h.OpenTCP) != 1, h.Rules[0].When.Every != 3, h.Rules[0].When.Chance != 0.5:
		t.Errorf("host: %+v", h)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"hop 192.0.2.1", "line 1: hop: belongs to no host"},
		{"\n# x\nfoo 1", "line 3: foo: unknown statement"},
		{"seed", "line 1: seed: takes a number"},
		{"seed x", "line 1: seed:"},
		{"seed 1\nseed 2", "line 2: seed: given twice"},
		{"lasttag 4294967296", "too large"},
		{"mtu -1", "line 1: mtu:"},
		{"udp quic", "unknown method"},
		{"stamps best", "unknown stamps"},
		{"source here", "line 1: source:"},
		{"step 1s", "takes a time and a duration"},
		{"step -1s 1s", "negative time"},
		{"stall 2s 1s", "1s is not after 2s"},
		{"outage 1s 2s EWHATEVER", "unknown error"},
		{"host", "line 1: host: no address"},
		{"host somewhere", "line 1: host:"},
		{"host 192.0.2.1 speed=1", "line 1: host: speed: unknown attribute"},
		{"host 192.0.2.1 rtt", "rtt: takes a value"},
		{"host 192.0.2.1 silent=1", "silent: takes no value"},
		{"host 192.0.2.1 rtt=1", "rtt:"},
		{"host 192.0.2.1 rtt=-1s", "negative time"},
		{"host 192.0.2.1 rtt=1s rtt=2s", "rtt: given twice"},
		{"host 192.0.2.1 loss=0.1", "no percentage"},
		{"host 192.0.2.1 loss=101%", "not between"},
		{"host 192.0.2.1 loss=NaN%", "not between"},
		{"host 192.0.2.1 reject=3", "lacks its second half"},
		{"host 192.0.2.1 reject=3/256", "too large"},
		{"host 192.0.2.1 answers=6/x", "answers:"},
		{"host 192.0.2.1 answers=6/NaN", "no rate"},
		{"host 192.0.2.1 mpls=1/2", "LABEL/TC/TTL"},
		{"host 192.0.2.1 mpls=1048576/0/1", "exceeds"},
		{"host 192.0.2.1 ext=0", "ext:"},
		{"host 192.0.2.1 udp=53,", "udp:"},
		{"host 192.0.2.1\nhop", "line 2: hop: no address"},
		{"host 192.0.2.1\nor 192.0.2.2", "line 2: or: belongs to no hop"},
		{"host 192.0.2.1\nhop 2001:db8::1", "address is not IPv4"},
		{"rule", "does nothing"},
		{"rule every=3", "does nothing"},
		{"rule every=0 drop", "counts from 1"},
		{"rule chance=0% drop", "never happens"},
		{"rule drop every=3", "comes before"},
		{"rule drop=1", "takes no value"},
		{"rule delay", "takes a value"},
		{"rule explode", "unknown condition or effect"},
		{"rule dup=0", "not between 1 and 1000"},
		{"rule forge=1001", "not between 1 and 1000"},
		{"rule pad=65536", "pad:"},
		{"rule insert=3", "lacks its second half"},
	}
	for _, tt := range tests {
		if _, err := probetest.Parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// What Parse accepts can be built.
func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.net")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if o, err := probetest.Parse(text); err == nil {
			l := probetest.New(o).Link(icmpx.IPv4)
			l.Send([]icmpx.Request{echo(1)})
		}
	})
}
