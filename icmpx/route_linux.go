package icmpx

import (
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// discardPort (RFC 863) is what the route socket is connected to. It sends no
// packet there.
const discardPort = 9

// A routeSocket asks the kernel how it would route a packet of a link: a
// connected UDP socket with the link's source, device, mark and type of
// service, which sends nothing. It is opened with the link, since the mark
// needs a privilege that may be gone later, and stays in its network namespace.
type routeSocket struct {
	family Family
	device string // that it is bound to
	file   *os.File
	raw    syscall.RawConn

	mu        sync.Mutex
	connected bool
	big       []byte // never filled: the kernel refuses its length
	in        *inbox
}

func openRoute(cfg *ICMPConfig) (*routeSocket, error) {
	fd, err := openFD(cfg.Family, unix.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	if err := configureRoute(fd, cfg); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	r := &routeSocket{family: cfg.Family, device: cfg.Interface, file: os.NewFile(uintptr(fd), "route")}
	if r.raw, err = r.file.SyscallConn(); err != nil {
		_ = r.file.Close()
		return nil, err
	}
	return r, nil
}

func configureRoute(fd int, cfg *ICMPConfig) error {
	if err := setOptions(fd, append(routeOptions(cfg), errorOptions(cfg.Family)...)); err != nil {
		return err
	}
	device, err := bindDevice(fd, cfg.Interface)
	if err != nil {
		return err
	}
	return bindSource(fd, cfg.Family, cfg.Source, 0, device)
}

func (r *routeSocket) close() error { return r.file.Close() }

// source returns the source address of packets to dst.
func (r *routeSocket) source(dst netip.Addr, scope uint32) (src netip.Addr, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cerr := r.raw.Control(func(fd uintptr) { src, err = r.connect(int(fd), dst, scope) })
	if cerr != nil {
		return netip.Addr{}, cerr
	}
	return src, err
}

// connect connects the socket and returns the source address that it got.
func (r *routeSocket) connect(fd int, dst netip.Addr, scope uint32) (netip.Addr, error) {
	if err := r.disconnect(fd); err != nil {
		return netip.Addr{}, err
	}
	if err := unix.Connect(fd, destination(r.family, dst, discardPort, scope)); err != nil {
		return netip.Addr{}, os.NewSyscallError("connect", err)
	}
	r.connected = true
	local, err := localAddr(fd)
	return local.Addr(), err
}

// disconnect ends what the last connect began: else the source address that
// it chose is kept (__ip4_datagram_connect of net/ipv4/datagram.c). That takes
// the device along (__udp_disconnect of net/ipv4/udp.c), which is bound to once
// more; before Linux 5.7 that needs CAP_NET_RAW.
func (r *routeSocket) disconnect(fd int) error {
	if !r.connected {
		return nil
	}
	nobody := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, errno := syscall.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody))
	if errno != 0 {
		return os.NewSyscallError("connect", errno)
	}
	_, err := bindDevice(fd, r.device)
	return err
}

// limit returns the largest packet in bytes that this host lets out to dst
// with the path-MTU discovery mode df, which must be DFSet or DFProbe, and the
// source address; mtu is 0 if it cannot be found out.
//
// IP_MTU would do for DFSet, but not for DFProbe, which ignores the cache that
// it reads. So the kernel is asked as tracepath does it: by a datagram larger
// than any device takes that needs to be asked about. It is refused before a
// byte is copied, and the limit is in the error queue.
func (r *routeSocket) limit(dst netip.Addr, scope uint32, df DF) (mtu int, src netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.big == nil {
		r.big = make([]byte, r.family.MaxPayload())
		r.in = newInbox(r.family, 4, 64, unix.MSG_ERRQUEUE)
	}
	_ = r.raw.Control(func(fd uintptr) { // fails only when closed
		var err error
		if src, err = r.connect(int(fd), dst, scope); err != nil {
			return
		}
		n := r.family.sock()
		_ = unix.SetsockoptInt(int(fd), n.level, n.mtuDiscover, n.mtuModes[df])
		_, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) // an old error would be taken for ours
		if unix.Send(int(fd), r.big, unix.MSG_DONTWAIT) == unix.EMSGSIZE {
			mtu = r.refusal(fd)
		}
	})
	return mtu, src
}

// refusal returns the last limit in the error queue.
func (r *routeSocket) refusal(fd uintptr) (mtu int) {
	for {
		r.in.recv(fd)
		if r.in.empty() {
			return mtu
		}
		for !r.in.empty() {
			var a arrival
			r.in.pop(&a)
			if a.hasErr && a.err.Origin == unix.SO_EE_ORIGIN_LOCAL && a.err.Errno == uint32(unix.EMSGSIZE) {
				mtu = int(a.err.Info)
			}
		}
	}
}
