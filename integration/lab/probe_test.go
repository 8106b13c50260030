//go:build linux

package lab_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/icmpx/icmpx/integration/lab"
	"github.com/icmpx/icmpx/integration/labtest"
)

// patience is how long a test waits for what must come. It never passes in a
// test that passes.
const patience = 20 * time.Second

// An answer is an ICMP message as a test wants to see it: "198.51.100.21 11/0".
type answer string

// asker sends ICMP echo requests from a host.
type asker struct {
	conn  *icmp.PacketConn
	v6    bool
	proto int
	seq   int
}

func newAsker(t *testing.T, h *lab.Host, v6 bool) *asker {
	t.Helper()
	a := &asker{v6: v6, proto: 1}
	network, address := "ip4:icmp", "0.0.0.0"
	if v6 {
		a.proto, network, address = 58, "ip6:ipv6-icmp", "::"
	}
	labtest.OK(t, h.Do(func() (err error) {
		a.conn, err = icmp.ListenPacket(network, address)
		return err
	}))
	t.Cleanup(func() { a.conn.Close() })
	return a
}

// send sends an echo request with that TTL; 0: the system's.
func (a *asker) send(t *testing.T, dst netip.Addr, ttl int) {
	t.Helper()
	if ttl == 0 {
		ttl = 64
	}
	kind := icmp.Type(ipv4.ICMPTypeEcho)
	if a.v6 {
		kind = ipv6.ICMPTypeEchoRequest
		labtest.OK(t, a.conn.IPv6PacketConn().SetHopLimit(ttl))
	} else {
		labtest.OK(t, a.conn.IPv4PacketConn().SetTTL(ttl))
	}
	a.seq++
	b, err := (&icmp.Message{Type: kind, Body: &icmp.Echo{ID: 7, Seq: a.seq, Data: []byte("lab")}}).Marshal(nil)
	labtest.OK(t, err)
	_, err = a.conn.WriteTo(b, &net.IPAddr{IP: dst.AsSlice()})
	labtest.OK(t, err)
}

// next returns the next echo reply or error.
func (a *asker) next(t *testing.T) answer {
	t.Helper()
	labtest.OK(t, a.conn.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 1500)
	for {
		n, from, err := a.conn.ReadFrom(b)
		labtest.OK(t, err)
		if n < 2 {
			t.Fatalf("got %d bytes of ICMP", n)
		}
		kind := b[0]
		switch {
		case !a.v6 && (kind == 0 || kind == 3 || kind == 11), a.v6 && (kind < 128 || kind == 129):
			return answer(fmt.Sprintf("%v %d/%d", from, kind, b[1]))
		}
	}
}

// ask sends one request and returns its answer.
func (a *asker) ask(t *testing.T, dst netip.Addr, ttl int) answer {
	t.Helper()
	a.send(t, dst, ttl)
	return a.next(t)
}
