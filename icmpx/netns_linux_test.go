package icmpx_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newNamespace moves the calling test to a network namespace of its own, as
// the kernel makes it: loopback is down, and no group may open datagram
// sockets. The thread is never given back, so the namespace ends with the test.
// Sockets stay in the namespace that they were opened in, whoever uses them.
func newNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("make a network namespace: %v (run this test as root, or under unshare -Urn)", err)
	}
}

// enterNamespace is newNamespace with loopback up, and with datagram sockets
// for root's group, which is the one that user namespaces know as well.
func enterNamespace(t *testing.T) {
	t.Helper()
	newNamespace(t)
	if err := setFlag("lo", unix.IFF_UP); err != nil {
		t.Fatalf("bring lo up: %v", err)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0); err != nil {
		t.Fatal(err)
	}
	awaitAddress(t, netip.IPv6Loopback())
}

func withIfreq(name string, req uint, set func(*unix.Ifreq)) (*unix.Ifreq, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	set(ifr)
	return ifr, unix.IoctlIfreq(fd, req, ifr)
}

func setFlag(name string, flag uint16) error {
	ifr, err := withIfreq(name, unix.SIOCGIFFLAGS, func(*unix.Ifreq) {})
	if err != nil {
		return err
	}
	flags := ifr.Uint16() | flag
	_, err = withIfreq(name, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) { r.SetUint16(flags) })
	return err
}

func setMTU(t *testing.T, name string, mtu uint32) {
	t.Helper()
	if _, err := withIfreq(name, unix.SIOCSIFMTU, func(r *unix.Ifreq) { r.SetUint32(mtu) }); err != nil {
		t.Fatalf("set MTU of %s: %v", name, err)
	}
}

// addAddress gives an interface an address by a netlink message.
func addAddress(t *testing.T, name string, p netip.Prefix) {
	t.Helper()
	changeAddress(t, unix.RTM_NEWADDR, name, p)
	if p.Addr().Is6() {
		awaitAddress(t, p.Addr())
	}
}

// deleteAddress takes an address from an interface.
func deleteAddress(t *testing.T, name string, p netip.Prefix) {
	t.Helper()
	changeAddress(t, unix.RTM_DELADDR, name, p)
}

func changeAddress(t *testing.T, how uint16, name string, p netip.Prefix) {
	t.Helper()
	family, flags := byte(unix.AF_INET), byte(0)
	if p.Addr().Is6() {
		family, flags = unix.AF_INET6, unix.IFA_F_NODAD
	}
	body := []byte{family, byte(p.Bits()), flags, 0}
	body = binary.NativeEndian.AppendUint32(body, interfaceIndex(t, name))
	body = appendAttr(body, unix.IFA_LOCAL, p.Addr().AsSlice())
	netlinkDo(t, how, body)
}

// awaitAddress waits until the kernel delivers to a new IPv6 address: it leaves
// the route to a worker, even without duplicate address detection.
func awaitAddress(t *testing.T, a netip.Addr) {
	t.Helper()
	route := fmt.Sprintf("%x 80 ", a.As16())
	for begin := time.Now(); time.Since(begin) < patience; runtime.Gosched() {
		b, err := os.ReadFile("/proc/thread-self/net/ipv6_route")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), route) {
			return
		}
	}
	t.Fatalf("no local route to %v", a)
}

// addRoute adds a route of a type such as unix.RTN_UNREACHABLE, or with a
// gateway or device where these are given.
func addRoute(t *testing.T, p netip.Prefix, typ byte, device string, mtu uint32) {
	t.Helper()
	family := byte(unix.AF_INET)
	if p.Addr().Is6() {
		family = unix.AF_INET6
	}
	body := []byte{family, byte(p.Bits()), 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RT_SCOPE_UNIVERSE, typ, 0, 0, 0, 0}
	body = appendAttr(body, unix.RTA_DST, p.Addr().AsSlice())
	if device != "" {
		body = appendAttr(body, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, interfaceIndex(t, device)))
	}
	if mtu != 0 {
		metric := appendAttr(nil, unix.RTAX_MTU, binary.NativeEndian.AppendUint32(nil, mtu))
		body = appendAttr(body, unix.RTA_METRICS, metric)
	}
	netlinkDo(t, unix.RTM_NEWROUTE, body)
}

func interfaceIndex(t *testing.T, name string) uint32 {
	t.Helper()
	ifr, err := withIfreq(name, unix.SIOCGIFINDEX, func(*unix.Ifreq) {})
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return ifr.Uint32()
}

func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// netlinkDo sends one request and waits for its acknowledgement.
func netlinkDo(t *testing.T, typ uint16, body []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatalf("open netlink: %v", err)
	}
	defer unix.Close(fd)
	msg := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	msg = binary.NativeEndian.AppendUint16(msg, typ)
	msg = binary.NativeEndian.AppendUint16(msg, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	msg = append(msg, make([]byte, 8)...)
	msg = append(msg, body...)
	if err := unix.Sendto(fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatalf("send netlink: %v", err)
	}
	b := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil || n < unix.SizeofNlMsghdr+4 {
		t.Fatalf("read netlink: %d bytes, %v", n, err)
	}
	if errno := -int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); errno != 0 {
		t.Fatalf("netlink request %d: %v", typ, unix.Errno(errno))
	}
}

// socketNames lists the sockets that this process has open.
func socketNames(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(name, "socket:") {
			names = append(names, name)
		}
	}
	return names
}
