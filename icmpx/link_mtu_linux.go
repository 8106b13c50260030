package icmpx

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// MTUFor returns the length in bytes of the largest IP packet that may leave
// for dst in one piece, as far as this host knows: the MTU of the interface,
// or of the path where that is known to be smaller. It sends nothing.
func (l *ICMPLink) MTUFor(dst netip.Addr) (int, error) {
	if FamilyOf(dst) != l.family {
		return 0, fmt.Errorf("find MTU for %v: not an %v address", dst, l.family)
	}
	scope, err := l.zones.index(l.sock, dst)
	if err != nil {
		return 0, fmt.Errorf("find MTU for %v: %w", dst, err)
	}
	mtu, err := l.route.mtu(dst, scope)
	if err != nil {
		return 0, fmt.Errorf("find MTU for %v: %w", dst, err)
	}
	return mtu, nil
}

// mtu returns the MTU of the route to dst.
func (r *routeSocket) mtu(dst netip.Addr, scope uint32) (mtu int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cerr := r.raw.Control(func(fd uintptr) {
		if _, err = r.connect(int(fd), dst, scope); err != nil {
			return
		}
		level, name := unix.SOL_IP, unix.IP_MTU
		if r.family == IPv6 {
			level, name = unix.SOL_IPV6, unix.IPV6_MTU
		}
		mtu, err = unix.GetsockoptInt(int(fd), level, name)
		err = os.NewSyscallError("getsockopt", err)
	})
	if cerr != nil {
		return 0, cerr
	}
	return mtu, err
}
