package icmpx_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

func TestMTUFor(t *testing.T) {
	enterNamespace(t)
	setMTU(t, "lo", 2000)
	for f, dst := range map[icmpx.Family]string{icmpx.IPv4: "127.0.0.1", icmpx.IPv6: "::1"} {
		l, err := icmpx.ListenICMP(icmpx.ICMPConfig{Family: f})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if got, err := l.MTUFor(netip.MustParseAddr(dst)); got != 2000 || err != nil {
			t.Errorf("%s: %d, %v; want 2000", dst, got, err)
		}
		away := map[icmpx.Family]string{icmpx.IPv4: "192.0.2.1", icmpx.IPv6: "2001:db8::1"}[f]
		if _, err := l.MTUFor(netip.MustParseAddr(away)); err == nil || !strings.Contains(err.Error(), "unreachable") {
			t.Errorf("%s: error %v", away, err)
		}
		other := map[icmpx.Family]string{icmpx.IPv4: "::1", icmpx.IPv6: "127.0.0.1"}[f]
		if _, err := l.MTUFor(netip.MustParseAddr(other)); err == nil || !strings.Contains(err.Error(), "not an") {
			t.Errorf("%s: error %v", other, err)
		}
	}
}
