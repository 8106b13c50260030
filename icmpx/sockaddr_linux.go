package icmpx

import (
	"net/netip"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sockaddr has room for the address of either family.
type sockaddr = unix.RawSockaddrInet6

// putSockaddr writes a and returns the number of bytes that the kernel wants.
// A raw IPv6 socket refuses a port that is not 0, or its protocol.
func putSockaddr(s *sockaddr, a netip.Addr, port uint16, scope uint32) uint32 {
	if a = a.Unmap(); a.Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(s))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: bigEndian(port), Addr: a.As4()}
		return unix.SizeofSockaddrInet4
	}
	*s = sockaddr{Family: unix.AF_INET6, Port: bigEndian(port), Addr: a.As16(), Scope_id: scope}
	return unix.SizeofSockaddrInet6
}

// parseSockaddr returns the address in b, without its zone, and the index of
// the interface that the zone stands for. The Addr is zero if there is none.
func parseSockaddr(b []byte) (a netip.Addr, port uint16, scope uint32) {
	if len(b) < 2 {
		return netip.Addr{}, 0, 0
	}
	switch family := nativeUint16(b); {
	case family == unix.AF_INET && len(b) >= 8:
		return netip.AddrFrom4([4]byte(b[4:8])), uint16(b[2])<<8 | uint16(b[3]), 0
	case family == unix.AF_INET6 && len(b) >= 24:
		if len(b) >= unix.SizeofSockaddrInet6 {
			scope = nativeUint32(b[24:])
		}
		return netip.AddrFrom16([16]byte(b[8:24])), uint16(b[2])<<8 | uint16(b[3]), scope
	}
	return netip.Addr{}, 0, 0
}

// sockaddrBytes is s as the bytes that the kernel wrote.
func sockaddrBytes(s *sockaddr, n uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(s)), min(n, unix.SizeofSockaddrInet6))
}

// bigEndian returns v in network byte order.
func bigEndian(v uint16) uint16 {
	b := [2]byte{byte(v >> 8), byte(v)}
	return nativeUint16(b[:])
}

// A zoneTable translates between the zones of link-local addresses and
// interface indexes, in the network namespace of its socket. It asks the kernel
// once for each.
type zoneTable struct {
	mu     sync.Mutex
	byName map[string]uint32
	byNum  map[uint32]string
}

// index returns the interface index of the zone of a, and 0 if a has none. A
// zone is the name of an interface or a number.
func (z *zoneTable) index(s *socket, a netip.Addr) (uint32, error) {
	zone := a.Zone()
	if zone == "" {
		return 0, nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if n, ok := z.byName[zone]; ok {
		return n, nil
	}
	n, err := s.interfaceIndex(zone)
	if err != nil {
		num, perr := strconv.ParseUint(zone, 10, 31)
		if perr != nil || num == 0 {
			return 0, err
		}
		n = uint32(num)
	}
	z.remember(zone, n)
	return n, nil
}

// forget makes the table ask again: the interface may have been replaced by
// one of the same name.
func (z *zoneTable) forget(a netip.Addr) {
	if a.Zone() == "" {
		return
	}
	z.mu.Lock()
	delete(z.byName, a.Zone())
	z.mu.Unlock()
}

func (z *zoneTable) remember(name string, index uint32) {
	if z.byName == nil {
		z.byName, z.byNum = make(map[string]uint32), make(map[uint32]string)
	}
	z.byName[name], z.byNum[index] = index, name
}

// with returns a with the zone of interface index if a is link-local. The zone
// has the form in which a request named it, else it is the interface's name.
func (z *zoneTable) with(s *socket, a netip.Addr, index uint32) netip.Addr {
	if index == 0 || !a.Is6() || !a.IsLinkLocalUnicast() && !a.IsLinkLocalMulticast() {
		return a
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	name, ok := z.byNum[index]
	if !ok {
		var err error
		if name, err = s.interfaceName(index); err != nil {
			name = strconv.FormatUint(uint64(index), 10)
		}
		z.remember(name, index)
	}
	return a.WithZone(name)
}
