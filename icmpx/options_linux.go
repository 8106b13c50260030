package icmpx

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// defaultRecvBuffer is the receive buffer in bytes that is asked for if the
// user has no wish. The kernel doubles it, and charges some 800 bytes for a
// small packet: room for 20,000 of them, which it takes only when they come.
const defaultRecvBuffer = 8 << 20

// A sockopt is one option of a socket. What is only for more information, and
// younger than some kernels in use, may fail.
type sockopt struct {
	level, name, value int
	may                bool
	what               string
}

func setOptions(fd int, opts []sockopt) error {
	for _, o := range opts {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil && !o.may {
			return fmt.Errorf("set %s: %w", o.what, os.NewSyscallError("setsockopt", err))
		}
	}
	return nil
}

// routeOptions are what decides where packets go and how they look, the same
// for every socket that acts for cfg.
func routeOptions(cfg *ICMPConfig) []sockopt {
	n := cfg.Family.sock()
	var opts []sockopt
	if cfg.Mark != 0 {
		opts = append(opts, sockopt{unix.SOL_SOCKET, unix.SO_MARK, int(cfg.Mark), false, "mark"})
	}
	if cfg.TOS > 0 {
		opts = append(opts, sockopt{n.level, n.tos, int(cfg.TOS), false, "type of service"})
	}
	if cfg.TTL > 0 {
		opts = append(opts,
			sockopt{n.level, n.ttl, int(cfg.TTL), false, "TTL"},
			sockopt{n.level, n.multicastTTL, int(cfg.TTL), false, "multicast TTL"})
	}
	if cfg.MulticastTTL > 0 {
		opts = append(opts, sockopt{n.level, n.multicastTTL, int(cfg.MulticastTTL), false, "multicast TTL"})
	}
	if cfg.DontRoute {
		opts = append(opts, sockopt{unix.SOL_SOCKET, unix.SO_DONTROUTE, 1, false, "direct delivery"})
	}
	if cfg.DF != DFSystem {
		opts = append(opts, sockopt{n.level, n.mtuDiscover, n.mtuModes[cfg.DF], false, "path-MTU discovery"})
	}
	if cfg.Broadcast {
		opts = append(opts, sockopt{unix.SOL_SOCKET, unix.SO_BROADCAST, 1, false, "broadcast"})
	}
	return opts
}

// flowinfoSend is IPV6_FLOWINFO_SEND of linux/in6.h: flow labels are taken from
// the addresses that packets are sent to.
const flowinfoSend = 33

// packetOptions are what else shapes the packets of a link, and of no other
// socket that acts for it.
func packetOptions(cfg *ICMPConfig) []sockopt {
	n := cfg.Family.sock()
	var opts []sockopt
	if cfg.NoLoop {
		opts = append(opts, sockopt{n.level, n.multicastLoop, 0, false, "multicast loop"})
	}
	if cfg.FlowLabel != 0 {
		opts = append(opts, sockopt{n.level, flowinfoSend, 1, false, "flow label"})
	}
	if cfg.Debug {
		opts = append(opts, sockopt{unix.SOL_SOCKET, unix.SO_DEBUG, 1, false, "debugging, which needs CAP_NET_ADMIN"})
	}
	return opts
}

// setIPv4Options has all packets of fd carry options, which the kernel fills up
// to a multiple of 4 bytes.
func setIPv4Options(fd int, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := unix.SetsockoptString(fd, unix.SOL_IP, unix.IP_OPTIONS, string(b)); err != nil {
		return fmt.Errorf("set IP options: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// infoOptions ask the kernel to say what it knows of each packet.
func infoOptions(f Family) []sockopt {
	n := f.sock()
	opts := []sockopt{
		{n.level, n.recvTTL, 1, false, "TTL reporting"},
		{n.level, n.recvTOS, 1, false, "type of service reporting"},
		{n.level, n.recvInfo, 1, false, "destination reporting"},
		{n.level, n.recvFrag, 1, true, "fragment size reporting"}, // Linux 4.13
		{unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1, true, "drop counting"},
	}
	if f == IPv4 {
		opts = append(opts, sockopt{n.level, unix.IP_RECVOPTS, 1, false, "IP option reporting"})
	}
	return opts
}

// errorOptions have ICMP errors reported in the error queue, with their RFC
// 4884 extensions (Linux 5.9).
func errorOptions(f Family) []sockopt {
	n := f.sock()
	return []sockopt{
		{n.level, n.recvErr, 1, false, "error queue"},
		{n.level, n.recvErrExt, 1, true, "error extensions"},
	}
}

// setBuffers sizes the buffers. Beyond the system's limit needs a privilege;
// without it the kernel cuts the size to the limit.
func setBuffers(fd, send, recv int) error {
	if recv == 0 {
		recv = defaultRecvBuffer
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, recv) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, recv); err != nil {
			return fmt.Errorf("set receive buffer: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	if send == 0 || unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, send) == nil {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, send); err != nil {
		return fmt.Errorf("set send buffer: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// bindDevice ties fd to an interface or VRF, which everything that follows is
// looked up by, and returns its index; 0 without a name.
func bindDevice(fd int, name string) (uint32, error) {
	if name == "" {
		return 0, nil
	}
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, fmt.Errorf("use interface %q: %w", name, unix.ENODEV)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, fmt.Errorf("use interface %q: %w", name, os.NewSyscallError("ioctl", err))
	}
	if err := unix.BindToDevice(fd, name); err != nil {
		return 0, fmt.Errorf("use interface %q: %w", name, os.NewSyscallError("setsockopt", err))
	}
	return ifr.Uint32(), nil
}

// bindSource binds fd to an address of this host, with the port that a
// datagram socket takes for its identifier. Neither: it is left unbound.
func bindSource(fd int, f Family, src netip.Addr, port uint16, device uint32) error {
	if !src.IsValid() && port == 0 {
		return nil
	}
	var err error = unix.EADDRNOTAVAIL
	if !src.IsMulticast() {
		scope, zerr := sourceScope(fd, src, device)
		if zerr != nil {
			return zerr
		}
		err = bind(fd, f, src, port, scope)
	}
	if err != nil {
		if !src.IsValid() {
			return fmt.Errorf("bind to identifier %d: %w", port, os.NewSyscallError("bind", err))
		}
		return fmt.Errorf("bind to source address %v: %w", src, os.NewSyscallError("bind", err))
	}
	return nil
}

func bind(fd int, f Family, src netip.Addr, port uint16, scope uint32) error {
	if f == IPv6 {
		sa := &unix.SockaddrInet6{Port: int(port), ZoneId: scope}
		if src.IsValid() {
			sa.Addr = src.As16()
		}
		return unix.Bind(fd, sa)
	}
	sa := &unix.SockaddrInet4{Port: int(port)}
	if src.IsValid() {
		sa.Addr = src.Unmap().As4()
	}
	return unix.Bind(fd, sa)
}

// sourceScope returns the interface index of the zone of src, or of the device
// if it has none.
func sourceScope(fd int, src netip.Addr, device uint32) (uint32, error) {
	if src.Zone() == "" {
		return device, nil
	}
	if ifr, err := unix.NewIfreq(src.Zone()); err == nil && unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) == nil {
		return ifr.Uint32(), nil
	}
	if n, err := strconv.ParseUint(src.Zone(), 10, 31); err == nil {
		return uint32(n), nil
	}
	return 0, fmt.Errorf("bind to source address %v: no interface %q: %w", src, src.Zone(), unix.ENODEV)
}
