package icmpx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/icmpx/icmpx/icmpx"
)

// onlyEchoRequests passes IPv4 echo requests without IP options.
func onlyEchoRequests(link uint16) (icmpx.FilterProgram, error) {
	ip := uint32(0)
	if link == icmpx.LinkEthernet {
		ip = 14
	}
	return icmpx.FilterProgram{
		bpf.LoadAbsolute{Off: ip, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x45, SkipTrue: 5},
		bpf.LoadAbsolute{Off: ip + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 1, SkipTrue: 3},
		bpf.LoadAbsolute{Off: ip + 20, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 8, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 30},
		bpf.RetConstant{Val: 0},
	}, nil
}

// listenPackets opens a packet socket for a test.
func listenPackets(t *testing.T, cfg icmpx.PacketConfig) *icmpx.PacketSocket {
	t.Helper()
	if cfg.Delay == 0 {
		cfg.Delay = time.Millisecond
	}
	s, err := icmpx.ListenPackets(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // some tests close it themselves
	return s
}

// sendEchoes sends n echo requests to the loopback address, with sequence
// numbers from 0.
func sendEchoes(t *testing.T, to netip.Addr, n int) {
	t.Helper()
	domain, proto, typ := unix.AF_INET, unix.IPPROTO_ICMP, byte(8)
	var sa unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if to.Is6() {
		domain, proto, typ = unix.AF_INET6, unix.IPPROTO_ICMPV6, 128
		sa = &unix.SockaddrInet6{Addr: to.As16()}
	}
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	b := append([]byte{typ, 0, 0, 0, 0x12, 0x34, 0, 0}, bytes.Repeat([]byte("x"), 56)...)
	for i := range n {
		binary.BigEndian.PutUint16(b[6:], uint16(i))
		b[2], b[3] = 0, 0
		binary.BigEndian.PutUint16(b[2:], icmpx.Checksum(b))
		if err := unix.Sendto(fd, b, 0, sa); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// TestListenPackets hears requests on the loopback interface: each once, with
// all that the kernel knows of it.
func TestListenPackets(t *testing.T) {
	enterNamespace(t)
	for _, tt := range []struct {
		name   string
		cfg    icmpx.PacketConfig
		link   uint16
		header string // that stands before IP
		kept   int
	}{
		{"one interface", icmpx.PacketConfig{Interface: "lo"}, icmpx.LinkEthernet,
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00", 98},
		{"cut short", icmpx.PacketConfig{Interface: "lo", Snaplen: 50}, icmpx.LinkEthernet,
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00", 50},
		{"any", icmpx.PacketConfig{Interface: "any"}, icmpx.LinkCooked,
			"\x08\x00\x00\x00\x00\x00\x00\x01\x03\x04\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00", 104},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Filter = onlyEchoRequests
			s := listenPackets(t, tt.cfg)
			if s.Link() != tt.link || s.IncomingOnly() {
				t.Errorf("link type %d, incoming only %v", s.Link(), s.IncomingOnly())
			}
			before := time.Now()
			sendEchoes(t, loopback4, 3)
			var p icmpx.CapturedPacket
			for i := range 3 {
				if err := s.Next(&p); err != nil {
					t.Fatal(err)
				}
				if p.Link != tt.link || p.IfIndex != 1 || p.IfName != "lo" || !p.Loopback || p.Outgoing || p.Unfinished {
					t.Errorf("got %+v", p)
				}
				if p.Len != len(tt.header)+84 || len(p.Data) != tt.kept || string(p.Data[:len(tt.header)]) != tt.header {
					t.Errorf("%d of %d bytes, header % x", len(p.Data), p.Len, p.Data[:len(tt.header)])
				}
				if len(p.Data) == p.Len && binary.BigEndian.Uint16(p.Data[len(tt.header)+26:]) != uint16(i) {
					t.Errorf("packet %d: % x", i, p.Data)
				}
				if p.Time.Before(before.Add(-time.Millisecond)) || p.Time.After(time.Now().Add(time.Millisecond)) {
					t.Errorf("stamped %v, sent after %v", p.Time, before)
				}
			}
			if err := s.Drain(); err != nil {
				t.Fatal(err)
			}
			sendEchoes(t, loopback4, 3)
			if err := s.Next(&p); err != io.EOF {
				t.Errorf("after Drain: %v, want io.EOF", err)
			}
			if got := s.Stats(); got != (icmpx.PacketStats{Queued: 3}) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestListenPacketsDrain reads what came before Drain, and counts what did not
// fit.
func TestListenPacketsDrain(t *testing.T) {
	enterNamespace(t)
	const sent = 20000
	s := listenPackets(t, icmpx.PacketConfig{Interface: "lo", Filter: onlyEchoRequests, Buffer: icmpx.MinBuffer})
	sendEchoes(t, loopback4, sent)
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	var p icmpx.CapturedPacket
	n := uint64(0)
	for s.Next(&p) == nil {
		n++
	}
	if err := s.Next(&p); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
	got := s.Stats()
	if got.Queued != n || got.Queued+got.Dropped != sent || got.Dropped == 0 || n == 0 {
		t.Errorf("read %d, counted %+v, sent %d", n, got, sent)
	}
	if err := s.Close(); err != nil || s.Stats() != got {
		t.Errorf("after Close (%v): %+v", err, s.Stats())
	}
}

// TestListenPacketsAllocates reads packets into memory that is there.
func TestListenPacketsAllocates(t *testing.T) {
	enterNamespace(t)
	const runs = 500
	for _, iface := range []string{"lo", "any"} {
		s := listenPackets(t, icmpx.PacketConfig{Interface: iface, Filter: onlyEchoRequests})
		sendEchoes(t, loopback4, runs+2)
		var p icmpx.CapturedPacket
		if err := s.Next(&p); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(runs, func() {
			if err := s.Next(&p); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a packet", iface, n)
		}
	}
}

// TestListenPacketsRaw hears by raw sockets what is received, IPv6 with a header
// put together again.
func TestListenPacketsRaw(t *testing.T) {
	enterNamespace(t)
	s, err := icmpx.ListenRawPackets(icmpx.PacketConfig{Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.IncomingOnly() || s.Link() != icmpx.LinkRaw {
		t.Errorf("link type %d, incoming only %v", s.Link(), s.IncomingOnly())
	}
	var p icmpx.CapturedPacket
	for _, to := range []netip.Addr{loopback4, loopback6} {
		sendEchoes(t, to, 1)
		for _, typ := range []byte{map[bool]byte{false: 8, true: 128}[to.Is6()], map[bool]byte{false: 0, true: 129}[to.Is6()]} {
			if err := s.Next(&p); err != nil {
				t.Fatal(err)
			}
			header := 20
			if to.Is6() {
				header = 40
				ip, err := icmpx.ParseIPv6Header(p.Data)
				if err != nil || ip.Src != to || ip.Dst != to || ip.HopLimit != 64 || ip.PayloadLen != 64 {
					t.Errorf("header %+v, %v", ip, err)
				}
			}
			if p.Len != header+64 || len(p.Data) != p.Len || p.Data[header] != typ || p.IfName != "lo" || p.Time.IsZero() {
				t.Errorf("got %+v", p)
			}
		}
	}
	if err := s.Drain(); err != nil {
		t.Fatal(err)
	}
	sendEchoes(t, loopback4, 1)
	if err := s.Next(&p); err != io.EOF {
		t.Errorf("after Drain: %v, want io.EOF", err)
	}
	if got := s.Stats(); got != (icmpx.PacketStats{Queued: 4}) {
		t.Errorf("got %+v", got)
	}
}

// TestListenPacketsEnds wakes a Next that waits, in every way that there is.
func TestListenPacketsEnds(t *testing.T) {
	enterNamespace(t)
	for _, open := range []func(icmpx.PacketConfig) (*icmpx.PacketSocket, error){icmpx.ListenPackets, icmpx.ListenRawPackets} {
		for _, tt := range []struct {
			name string
			end  func(*icmpx.PacketSocket) error
			want error
		}{
			{"deadline", func(s *icmpx.PacketSocket) error { return s.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
			{"drain", (*icmpx.PacketSocket).Drain, io.EOF},
			{"close", (*icmpx.PacketSocket).Close, net.ErrClosed},
		} {
			s, err := open(icmpx.PacketConfig{Interface: "lo"})
			if err != nil {
				t.Fatal(err)
			}
			var wait sync.WaitGroup
			wait.Go(func() {
				var p icmpx.CapturedPacket
				for range 2 { // and it stays so
					if err := s.Next(&p); !errors.Is(err, tt.want) {
						t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
					}
				}
			})
			if err := tt.end(s); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			wait.Wait()
			if s.Ready() {
				t.Errorf("%s: ready", tt.name)
			}
			if err := s.Close(); err != nil && tt.want != net.ErrClosed {
				t.Errorf("%s: close: %v", tt.name, err)
			}
		}
	}
}

func TestListenPacketsDeadlineMoves(t *testing.T) {
	enterNamespace(t)
	s := listenPackets(t, icmpx.PacketConfig{Interface: "lo", Filter: onlyEchoRequests})
	var p icmpx.CapturedPacket
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Next(&p); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	sendEchoes(t, loopback4, 1)
	if err := s.Next(&p); err != nil {
		t.Error(err)
	}
}

func TestListenPacketsRefuses(t *testing.T) {
	newNamespace(t) // lo is down
	bad := errors.New("bad filter")
	for _, tt := range []struct {
		name string
		cfg  icmpx.PacketConfig
		want error // nil: any
	}{
		{"no such interface", icmpx.PacketConfig{Interface: "none0"}, unix.ENODEV},
		{"name too long", icmpx.PacketConfig{Interface: "sixteencharacters"}, unix.ENODEV},
		{"interface is down", icmpx.PacketConfig{Interface: "lo"}, unix.ENETDOWN},
		{"snaplen", icmpx.PacketConfig{Snaplen: -1}, nil},
		{"snaplen", icmpx.PacketConfig{Snaplen: icmpx.MaxSnaplen + 1}, nil},
		{"buffer", icmpx.PacketConfig{Buffer: 1}, nil},
		{"delay", icmpx.PacketConfig{Delay: 1}, nil},
		{"promiscuous", icmpx.PacketConfig{Promiscuous: true}, nil},
		{"filter", icmpx.PacketConfig{Filter: func(uint16) (icmpx.FilterProgram, error) { return nil, bad }}, bad},
		{"program", icmpx.PacketConfig{Filter: func(uint16) (icmpx.FilterProgram, error) {
			return icmpx.FilterProgram{bpf.RawInstruction{Op: 0xffff}}, nil
		}}, unix.EINVAL},
	} {
		before := len(socketNames(t))
		s, err := icmpx.ListenPackets(tt.cfg)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil {
			s.Close()
		}
		if after := len(socketNames(t)); after != before {
			t.Errorf("%s: %d sockets left open", tt.name, after-before)
		}
	}
}
