package icmpx

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Kernel stamps, in both directions and in software. SO_TIMESTAMPING stands
// alone: SO_TIMESTAMPNS beside it makes the kernel invent a receive stamp when
// the packet is read, while stamping is being switched on.
const (
	stampBoth = unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE

	// stampByID has each transmit stamp carry a number that we chose, and
	// nothing else.
	stampByID = stampBoth | unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY

	// scmStampID gives a message the number of its stamp (Linux 6.13).
	scmStampID = unix.SCM_TS_OPT_ID
)

// enableStamps switches kernel stamps on and reports whether there are
// transmit stamps by number, in ancillary data of type idType. Without numbers
// a transmit stamp comes with the packet it is about. Without stamps at all,
// which no kernel of the last ten years lacks, times are taken by this process.
//
// Numbers are never taken from the kernel's own count: a send that fails may
// or may not consume one.
func enableStamps(fd int, f Family, idType int) (byID bool) {
	if takesStampID(f, idType) && setStamps(fd, stampByID) {
		return true
	}
	setStamps(fd, stampBoth)
	return false
}

// setStamps asks for the form with 64-bit seconds, or on 64 bits, where it is
// the same, for the older one.
func setStamps(fd, flags int) bool {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING_NEW, flags) == nil {
		return true
	}
	return unsafe.Sizeof(uintptr(0)) == 8 &&
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING_OLD, flags) == nil
}

// takesStampID finds out whether the kernel takes numbers, by one send that
// cannot leave this host: it names an interface that does not exist. Ancillary
// data are read first and in order, so an unknown type is EINVAL, and a known
// one lets the send come as far as the interface: ENODEV. The send binds its
// socket, so it has one of its own; UDP learned numbers together with the rest.
func takesStampID(f Family, idType int) bool {
	fd, err := openFD(f, unix.SOCK_DGRAM, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if !setStamps(fd, stampByID) {
		return false
	}
	const noInterface = 1<<31 - 1
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: discardPort, Addr: [4]byte{127, 0, 0, 1}}
	info := make([]byte, unix.SizeofInet4Pktinfo)
	index := info
	if f == IPv6 {
		to = &unix.SockaddrInet6{Port: discardPort, Addr: netip.IPv6Loopback().As16()}
		info = make([]byte, unix.SizeofInet6Pktinfo)
		index = info[16:]
	}
	binary.NativeEndian.PutUint32(index, noInterface)
	ctl := make([]byte, wordSpace+unix.CmsgSpace(len(info)))
	rest := putWord(ctl, unix.SOL_SOCKET, idType, 0)
	putHeader(rest, f.sock().level, f.sock().infoData, len(info))
	copy(rest[unix.CmsgLen(0):], info)
	return unix.Sendmsg(fd, nil, ctl, to, unix.MSG_DONTWAIT) == unix.ENODEV
}

// stampSlots is how many packets may be on their way from send to the device
// at once; a power of two. It is far more than device queues hold.
const stampSlots = 1 << 13

// A stampRing remembers which probe a stamp number belongs to. The senders put
// and the receiver takes. It holds no pointers, so that it costs the garbage
// collector nothing.
type stampRing struct {
	mu    sync.Mutex
	next  uint32
	slots []stampSlot
}

type stampSlot struct {
	id    uint32
	used  bool
	v6    bool
	dst   [16]byte
	scope uint32
	key   Key
}

// put returns the number for the stamp of a probe.
func (r *stampRing) put(key Key, dst netip.Addr, scope uint32) uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == nil {
		r.slots = make([]stampSlot, stampSlots)
	}
	id := r.next
	r.next++
	r.slots[id%stampSlots] = stampSlot{id: id, used: true, v6: !dst.Unmap().Is4(), dst: dst.As16(), scope: scope, key: key}
	return id
}

// take returns the probe of a stamp number, once.
func (r *stampRing) take(id uint32) (key Key, dst netip.Addr, scope uint32, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == nil {
		return
	}
	s := &r.slots[id%stampSlots]
	if !s.used || s.id != id {
		return
	}
	s.used = false
	dst = netip.AddrFrom16(s.dst)
	if !s.v6 {
		dst = dst.Unmap()
	}
	return s.key, dst, s.scope, true
}

// maxLinkHeader is how far into a looped packet its IP header is looked for.
const maxLinkHeader = 64

// findSent finds an ICMP query of ours with identifier id in b, a packet as it
// was handed to the device: behind a link header of unknown length. What would
// pass for it by chance is ruled out by length, identifier and, in IPv4, the
// header checksum.
func findSent(f Family, b []byte, id uint16) (key Key, dst netip.Addr, ok bool) {
	for off := 0; off <= min(maxLinkHeader, len(b)-f.HeaderLen()); off++ {
		if b[off]>>4 != byte(f) {
			continue
		}
		var q Quote
		if q.parse(b[off:], f) != nil || !q.HasL4 || q.Proto != uint8(f.Protocol()) {
			continue
		}
		if q.ICMPID == id && isRequest(f, q.Type) && (f == IPv6 || q.HeaderOK) {
			return Key{Flow: uint32(id), Tag: tagOf(f, q.Type, q.ICMPSeq)}, q.Dst, true
		}
	}
	return
}

// A clock relates the wall clock to the monotonic one.
type clock struct{ start time.Time }

// offset returns by how much the wall clock has moved against the monotonic
// one since the start, at now.
func (c clock) offset(now time.Time) time.Duration {
	return time.Duration(now.UnixNano()-c.start.UnixNano()) - now.Sub(c.start)
}
