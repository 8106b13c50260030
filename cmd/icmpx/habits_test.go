package main

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// TestHabits shows the flags of iputils' ping that change the text.
func TestHabits(t *testing.T) {
	tests := []struct {
		name   string
		uid    int
		args   string
		code   int
		stdout []string
		stderr []string
	}{
		{"flood", 0, "ping -fc3 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			".\b \b.\b \b.\b \b",
			"--- 198.51.100.1 ping statistics ---",
			"3 packets transmitted, 3 received, 0% packet loss, time 3ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, ipg/ewma 1.500/1.000 ms",
		}, nil},
		{"flood of nobody, a hundred a second", 0, "ping -fc3 -W1 198.51.100.77", exitNoAnswer, []string{
			"PING 198.51.100.77 (198.51.100.77) 56(84) bytes of data.",
			"...",
			"--- 198.51.100.77 ping statistics ---",
			"3 packets transmitted, 0 received, 100% packet loss, time 1020ms",
			"",
		}, nil},
		{"flood into a filter", 0, "ping -fc2 198.51.100.9", exitNoAnswer, []string{
			"PING 198.51.100.9 (198.51.100.9) 56(84) bytes of data.",
			".\bE.\bE",
			"--- 198.51.100.9 ping statistics ---",
			"2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1ms",
			"",
		}, nil},
		{"flood of a user, slowly", 1000, "ping -fc2 -i 0.1 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			".\b \b.\b \b",
			"--- 198.51.100.1 ping statistics ---",
			"2 packets transmitted, 2 received, 0% packet loss, time 101ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, ipg/ewma 101.000/1.000 ms",
		}, nil},
		{"quiet flood", 0, "ping -fqc2 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"2 packets transmitted, 2 received, 0% packet loss, time 2ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, ipg/ewma 2.000/1.000 ms",
		}, nil},
		{"adaptive, of a user", 1000, "ping -Ac2 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"64 bytes from 198.51.100.1: icmp_seq=1 ttl=63 time=1.00 ms",
			"64 bytes from 198.51.100.1: icmp_seq=2 ttl=63 time=1.00 ms",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"2 packets transmitted, 2 received, 0% packet loss, time 3ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, ipg/ewma 3.000/1.000 ms",
		}, nil},
		{"preload, pattern, bell, decimals", 1000, "ping -3a -l3 -pabc -c3 198.51.100.1", exitOK, []string{
			"PATTERN: 0xab0c",
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"64 bytes from 198.51.100.1: icmp_seq=1 ttl=63 time=1.000 ms\a",
			"64 bytes from 198.51.100.1: icmp_seq=2 ttl=63 time=1.000 ms\a",
			"64 bytes from 198.51.100.1: icmp_seq=3 ttl=63 time=1.000 ms\a",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"3 packets transmitted, 3 received, 0% packet loss, time 1ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, pipe 3",
		}, nil},
		{"a name for an address", 1000, "ping -Hc1 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"64 bytes from a.example (198.51.100.1): icmp_seq=1 ttl=63 time=1.00 ms",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"1 packets transmitted, 1 received, 0% packet loss, time 1ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
		}, nil},
		{"a host given twice is one", 1000, "ping -qc1 198.51.100.1 198.51.100.1", exitOK, []string{
			"PING 198.51.100.1 (198.51.100.1) 56(84) bytes of data.",
			"",
			"--- 198.51.100.1 ping statistics ---",
			"1 packets transmitted, 1 received, 0% packet loss, time 1ms",
			"rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms",
		}, nil},
		{"broadcast", 0, "ping -qbc1 198.51.100.255", exitNoAnswer, []string{
			"PING 198.51.100.255 (198.51.100.255) 56(84) bytes of data.",
			"",
			"--- 198.51.100.255 ping statistics ---",
			"1 packets transmitted, 0 received, 100% packet loss, time 10000ms",
			"",
		}, []string{"icmpx: warning: pinging broadcast address 198.51.100.255"}},
		{"broadcast too often", 0, "ping -b -i 0.1 198.51.100.255", exitError, nil, []string{
			"icmpx: error: 198.51.100.255 is a broadcast address: the least interval to one is 200ms",
		}},
		{"broadcast flood", 0, "ping -bf 198.51.100.255", exitError, nil, []string{
			"icmpx: error: -f does not go with 198.51.100.255, which is a broadcast address",
		}},
		{"multicast behind a name", 1000, "ping -i 0.5 all.example", exitError, nil, []string{
			"icmpx: error: all.example is a multicast address: the least interval to one is 1s",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{net: network(), uid: tt.uid, names: map[string][]string{
				"198.51.100.1": {"a.example."}, "all.example": {"ff02::1"},
			}}
			code := w.run(t, strings.Fields(tt.args)...)
			w.want(t, code, tt.code, text(tt.stdout...), text(tt.stderr...))
		})
	}
}

// TestBroadcastRefused is what the kernel says without -b.
func TestBroadcastRefused(t *testing.T) {
	w := &world{net: network(), noRoute: syscall.EACCES}
	w.want(t, w.run(t, "ping", "198.51.100.255"), exitError, "", text(
		"icmpx: error: 198.51.100.255 is a broadcast address",
		"icmpx: hint: ping it with -b",
	))
	w = &world{net: network(), noRoute: syscall.EACCES}
	if code := w.run(t, "ping", "-qc1", "198.51.100.1"); code != exitOK {
		t.Errorf("exit code %d for what only looks like one: %s", code, &w.stderr)
	}
}

// TestSocketFlags holds what reaches the sockets.
func TestSocketFlags(t *testing.T) {
	addr := netip.MustParseAddr
	tests := []struct {
		args string
		want icmpx.ICMPConfig
	}{
		{"", icmpx.ICMPConfig{}},
		{"-b -B -d -L -r -U", icmpx.ICMPConfig{Broadcast: true, FixSource: true, Debug: true, NoLoop: true, DontRoute: true, UserStamps: true}},
		{"-m 0x10 -S 4096 -e 77", icmpx.ICMPConfig{Mark: 16, SendBuffer: 4096, ID: 77}},
		{"-e 0", icmpx.ICMPConfig{ZeroID: true}},
		{"-I eth0 -I 192.0.2.250", icmpx.ICMPConfig{Interface: "eth0", Source: addr("192.0.2.250")}},
		{"-R", icmpx.ICMPConfig{Options: icmpx.RecordRoute()}},
		{"-T tsprespec 203.0.113.254 192.0.2.7", icmpx.ICMPConfig{Options: options(t, icmpx.TimestampPrespecified, addr("203.0.113.254"), addr("192.0.2.7"))}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			w := &world{net: network()}
			args := append([]string{"ping", "-qc1"}, strings.Fields(tt.args)...)
			if code := w.run(t, append(args, "198.51.100.1")...); code != exitOK || len(w.opened) != 1 {
				t.Fatalf("exit code %d: %s", code, &w.stderr)
			}
			got := w.opened[0]
			tt.want.Family, tt.want.TOS = icmpx.IPv4, -1
			if !slices.Equal(got.Options, tt.want.Options) {
				t.Errorf("options %x, want %x", got.Options, tt.want.Options)
			}
			got.Options, tt.want.Options = nil, nil
			if !equal(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func equal(a, b icmpx.ICMPConfig) bool {
	return a.Family == b.Family && a.Mode == b.Mode && a.Source == b.Source && a.Interface == b.Interface && a.Mark == b.Mark &&
		a.FixSource == b.FixSource && a.DontRoute == b.DontRoute && a.NoLoop == b.NoLoop && a.FlowLabel == b.FlowLabel &&
		a.TOS == b.TOS && a.SendBuffer == b.SendBuffer && a.ID == b.ID && a.ZeroID == b.ZeroID && a.Broadcast == b.Broadcast &&
		a.UserStamps == b.UserStamps && a.Debug == b.Debug
}

func options(t *testing.T, f icmpx.TimestampFlag, hosts ...netip.Addr) []byte {
	t.Helper()
	b, err := icmpx.TimestampOption(f, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFlowLabel is for IPv6, and the first line shows it.
func TestFlowLabel(t *testing.T) {
	w := &world{net: network()}
	code := w.run(t, "ping", "-qc1", "-F", "0x3039", "2001:db8::1")
	if want := "PING 2001:db8::1(2001:db8::1) , flow 0x03039, 56 data bytes\n"; code != exitOK || !strings.HasPrefix(w.stdout.String(), want) {
		t.Errorf("exit code %d, %s%s", code, &w.stdout, &w.stderr)
	}
	if got := w.opened[0].FlowLabel; got != 0x3039 {
		t.Errorf("label %#x", got)
	}
}

// TestSlowName holds that a name whose lookup takes its time keeps no other
// host waiting.
func TestSlowName(t *testing.T) {
	w := &world{net: network(), lookup: 3 * time.Second, names: map[string][]string{"b.example": {"198.51.100.2"}}}
	code := w.run(t, "ping", "-nDqc2", "b.example", "198.51.100.1")
	got := w.stdout.String()
	first := strings.Index(got, "198.51.100.1: PING")
	second := strings.Index(got, "b.example: PING")
	if code != exitOK || first != 0 || second < 0 {
		t.Errorf("exit code %d:\n%s", code, got)
	}
	if !strings.Contains(got, "198.51.100.1: 2 packets transmitted, 2 received, 0% packet loss, time 1001ms") {
		t.Errorf("the other host waited:\n%s", got)
	}
}

// TestInterruptedLookup is Ctrl-C while a name is looked up.
func TestInterruptedLookup(t *testing.T) {
	w := &world{net: network(), lookup: time.Hour}
	var code int
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := withTimeout(t, time.Second)
		defer cancel()
		code = w.inBubble(ctx, []string{"ping", "b.example"})
	})
	w.want(t, code, exitNoAnswer, "", "")
}

// TestDamageReport shows what is said about payloads that changed.
func TestDamageReport(t *testing.T) {
	n := network()
	n.Hosts[0].Rules = []probetest.Rule{{When: probetest.When{Every: 2}, Do: probetest.Corrupt(probetest.Flip(8*17 + 1))}}
	w := &world{net: n}
	code := w.run(t, "ping", "-vc2", "-i", "1", "198.51.100.1")
	got := w.stdout.String()
	for _, want := range []string{
		"wrong data byte #17 should be 0x11 but was 0x13 (flipped)\n",
		"#16    want 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f\n#16    got  10 13 12 13",
		"damage: 1 reply (1 flipped), at byte #17 of the payload (45 of the packet), bit 0x2\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if code != exitNoAnswer {
		t.Errorf("exit code %d", code)
	}
}

// TestQuench shows that a source quench slows a run down, unless it is told not
// to, and that both forms of output say so.
func TestQuench(t *testing.T) {
	quenched := func() probetest.Options {
		n := network()
		n.Hosts[0].Rules = []probetest.Rule{{When: probetest.When{First: 1, Last: 1}, Do: probetest.SourceQuench()}}
		return n
	}
	w := &world{net: quenched()}
	w.run(t, "ping", "-c2", "198.51.100.1")
	if got := w.stdout.String(); !strings.Contains(got, "Source Quench\nrate now 0.5 probes per second: source quench\n") {
		t.Errorf("text:\n%s", got)
	}
	w = &world{net: quenched()}
	w.run(t, "ping", "-jc2", "198.51.100.1")
	for _, want := range []string{
		`{"event":"notice","target":"198.51.100.1","seq":1,"kind":"source_quench","from":"`,
		`{"event":"rate","target":"198.51.100.1","pps":0.5,"why":"source quench"}`,
	} {
		if got := w.stdout.String(); !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	w = &world{net: quenched()}
	w.run(t, "ping", "-c2", "--ignore-quench", "198.51.100.1")
	if got := w.stdout.String(); !strings.Contains(got, "Source Quench\n") || strings.Contains(got, "rate now") {
		t.Errorf("text, ignored:\n%s", got)
	}
}
