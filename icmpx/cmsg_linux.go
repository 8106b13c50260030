package icmpx

import (
	"encoding/binary"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Kernel structures are in the byte order of the machine.
func nativeUint16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func nativeUint32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }

// wordSpace is the room that ancillary data of 4 bytes takes.
var wordSpace = unix.CmsgSpace(4)

// putWord writes ancillary data of 4 bytes to b, which must be aligned as a
// cmsghdr, and returns the rest of b.
func putWord(b []byte, level, typ int, v uint32) []byte {
	putHeader(b, level, typ, 4)
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0):], v)
	return b[wordSpace:]
}

func putHeader(b []byte, level, typ, n int) {
	_ = b[unix.CmsgSpace(n)-1]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = int32(level), int32(typ)
	h.SetLen(unix.CmsgLen(n))
}

// An arrival is what the kernel handed up with one message: from the receive
// queue a packet, from the error queue an error or a transmit stamp. What the
// kernel did not say is zero.
type arrival struct {
	data     []byte
	name     netip.Addr // sender; of an error: where the probe went. Without zone
	port     uint16     // that goes with name
	scope    uint32     // interface index of name's zone
	to       netip.Addr
	ifIndex  uint32
	ttl, tos uint8
	frag     int
	stamp    time.Time // by the kernel's clock
	drops    uint32
	options  []byte // of the IPv4 header; shared as data is

	hasErr        bool // err was there
	err           unix.SockExtendedErr
	offender      netip.Addr
	offenderScope uint32
}

// parseControl reads the ancillary data b into a. It never reads past b,
// whatever the lengths in it say.
func (a *arrival) parseControl(n *sockNumbers, b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		size := uint64(h.Len)
		if size < unix.SizeofCmsghdr || size > uint64(len(b)) {
			return
		}
		a.parseOne(n, int(h.Level), int(h.Type), b[unix.CmsgLen(0):size])
		b = b[min(unix.CmsgSpace(int(size)-unix.CmsgLen(0)), len(b)):]
	}
}

func (a *arrival) parseOne(n *sockNumbers, level, typ int, d []byte) {
	switch {
	case level == unix.SOL_SOCKET:
		a.parseSocket(typ, d)
	case level != n.level:
	case typ == n.errData:
		a.parseErr(d)
	case typ == n.infoData:
		a.parseInfo(n, d)
	case typ == n.tosData && len(d) >= 1:
		a.tos = uint8(word(d))
	case typ == n.ttlData && len(d) >= 4:
		a.ttl = uint8(word(d))
	case n.level == unix.SOL_IP && typ == unix.IP_RECVOPTS && len(d) > 0:
		a.options = d
	case typ == n.fragData && len(d) >= 4:
		a.frag = int(word(d))
	}
}

// word reads an int; IP_TOS is the one that is a single byte.
func word(d []byte) uint32 {
	if len(d) < 4 {
		return uint32(d[0])
	}
	return nativeUint32(d)
}

func (a *arrival) parseSocket(typ int, d []byte) {
	switch {
	case typ == unix.SO_RXQ_OVFL && len(d) >= 4:
		a.drops = nativeUint32(d)
	case (typ == unix.SO_TIMESTAMPING_NEW || typ == unix.SO_TIMESTAMPING_OLD) && len(d) >= 16:
		// struct scm_timestamping64: software, (unused), hardware. The old form
		// is the same where it is asked for, on 64 bits.
		sec, nsec := int64(binary.NativeEndian.Uint64(d)), int64(binary.NativeEndian.Uint64(d[8:]))
		if sec != 0 || nsec != 0 {
			a.stamp = time.Unix(sec, nsec)
		}
	}
}

// parseInfo reads struct in_pktinfo or in6_pktinfo: the address in the header
// of the packet, and the interface.
func (a *arrival) parseInfo(n *sockNumbers, d []byte) {
	switch {
	case n.level == unix.SOL_IP && len(d) >= unix.SizeofInet4Pktinfo:
		a.ifIndex, a.to = nativeUint32(d), netip.AddrFrom4([4]byte(d[8:12]))
	case n.level == unix.SOL_IPV6 && len(d) >= unix.SizeofInet6Pktinfo:
		a.to, a.ifIndex = netip.AddrFrom16([16]byte(d[:16])), nativeUint32(d[16:])
	}
}

// sizeofExtErr is the size of struct sock_extended_err, which the offender's
// address follows.
const sizeofExtErr = 16

func (a *arrival) parseErr(d []byte) {
	if len(d) < sizeofExtErr {
		return
	}
	a.hasErr = true
	a.err = unix.SockExtendedErr{
		Errno: nativeUint32(d), Origin: d[4], Type: d[5], Code: d[6],
		Info: nativeUint32(d[8:]), Data: nativeUint32(d[12:]),
	}
	a.offender, _, a.offenderScope = parseSockaddr(d[sizeofExtErr:])
}
