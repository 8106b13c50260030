package icmpx_test

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/icmpx"
)

// TestRawSendFragments has a host answer an echo request that is larger than the
// interface: its fragments have one identification.
func TestRawSendFragments(t *testing.T) {
	for _, f := range []icmpx.Family{icmpx.IPv4, icmpx.IPv6} {
		t.Run(f.String(), func(t *testing.T) {
			enterNamespace(t)
			setMTU(t, "lo", 1500)
			l := listen(t, icmpx.ICMPConfig{Family: f, Mode: icmpx.ModeRaw})
			s, err := icmpx.OpenRaw(icmpx.RawConfig{Family: f})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			dst := loopback[f]
			if err := s.Send(echoPacket(t, f, dst, l.ID(), 4000), dst); err != nil {
				t.Fatal(err)
			}
			got := recvUntil(t, l, has(1, icmpx.KindEchoReply))
			if r := got[len(got)-1]; len(r.Payload) != 4000 {
				t.Errorf("got %d bytes back", len(r.Payload))
			}
		})
	}
}

// echoPacket returns an echo request with n bytes, in an IP packet whose
// identification is 0.
func echoPacket(t *testing.T, f icmpx.Family, dst netip.Addr, id uint16, n int) []byte {
	t.Helper()
	m := &icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(id), Seq: 1, Data: make([]byte, n)}}
	if f == icmpx.IPv6 {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	msg, err := icmpx.Marshal(m, dst, dst)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	if f == icmpx.IPv6 {
		h := icmpx.IPv6Header{HopLimit: 9, Src: dst, Dst: dst, Proto: 58, PayloadLen: len(msg)}
		b, err = h.AppendBinary(nil)
	} else {
		h := icmpx.IPv4Header{TTL: 9, Src: dst, Dst: dst, Proto: 1, TotalLen: 20 + len(msg)}
		b, err = h.AppendBinary(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(b, msg...)
}

// TestRawSendFamily has addresses of the other family, and none, refused.
func TestRawSendFamily(t *testing.T) {
	enterNamespace(t)
	for f, bad := range map[icmpx.Family]netip.Addr{icmpx.IPv4: netip.IPv6Loopback(), icmpx.IPv6: loopback[icmpx.IPv4]} {
		cfg := icmpx.RawConfig{Family: f}
		s, err := icmpx.OpenRaw(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, dst := range []netip.Addr{bad, {}} {
			if err := s.Send(make([]byte, 60), dst); !errors.Is(err, icmpx.ErrVersion) {
				t.Errorf("send over %v to %v: %v", f, dst, err)
			}
			if a, err := s.SourceFor(dst); !errors.Is(err, icmpx.ErrVersion) {
				t.Errorf("source over %v to %v: %v, %v", f, dst, a, err)
			}
			if a, err := icmpx.RouteSource(cfg, dst); !errors.Is(err, icmpx.ErrVersion) {
				t.Errorf("route over %v to %v: %v, %v", f, dst, a, err)
			}
		}
	}
}
