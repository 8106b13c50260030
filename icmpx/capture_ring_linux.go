package icmpx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ring is memory that is shared with the kernel (TPACKET_V3, packet_mmap.rst
// of the kernel's documentation): a circle of blocks. The kernel fills one after
// the other, and hands a block over when it is full or has waited long enough;
// it comes back to the kernel when its packets were read.
type ring struct {
	sock   *socket
	names  ifNames
	index  uint32 // of the interface; 0: all
	cooked bool   // packets come without their link header
	down   bool   // the interface was, when it was looked at last

	mem   []byte
	block int    // the block that is read
	held  bool   // it was handed over
	left  uint32 // packets of it that were not handed out
	at    int    // where the next of them begins
	n     uint64 // packets handed out
}

// blockSize is that of a block in bytes. A packet needs one that it fits into; and
// a block is handed over when it has waited long enough, however few packets it
// holds, so that many blocks outlast a reader that is held up.
const blockSize = 128 << 10

// frameSize is the size that blocks are divided by, which TPACKET_V3 asks for
// and does not use.
const frameSize = 2048

// openRing opens a packet socket with a ring.
func (s *PacketSocket) openRing() error {
	typ, index, err := socketType(s.cfg.Interface)
	if err != nil {
		return err
	}
	// Protocol 0 hears nothing until bind says what to hear.
	fd, err := unix.Socket(unix.AF_PACKET, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	r := &ring{index: index, cooked: typ == unix.SOCK_DGRAM}
	if r.mem, err = setUpRing(fd, &s.cfg, r.cooked); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	if err = hear(fd, index, s.cfg.Promiscuous); err == nil {
		s.sock, err = newSocket(fd, "packets")
	} else {
		err = errors.Join(err, unix.Close(fd))
	}
	if err != nil {
		return errors.Join(err, unix.Munmap(r.mem))
	}
	r.sock, r.names.sock, s.src = s.sock, s.sock, r
	return nil
}

// socketType chooses whether packets of an interface come with their link
// header.
func socketType(name string) (typ int, index uint32, err error) {
	if name == "" {
		return unix.SOCK_DGRAM, 0, nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, 0, fmt.Errorf("use interface %q: %w", name, unix.ENODEV)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err != nil {
		return 0, 0, fmt.Errorf("use interface %q: %w", name, os.NewSyscallError("ioctl", err))
	}
	index = ifr.Uint32()
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, ifr); err != nil {
		return 0, 0, fmt.Errorf("use interface %q: %w", name, os.NewSyscallError("ioctl", err))
	}
	if hardware := ifr.Uint16(); hardware == unix.ARPHRD_ETHER || hardware == unix.ARPHRD_LOOPBACK {
		return unix.SOCK_RAW, index, nil
	}
	return unix.SOCK_DGRAM, index, nil
}

// setUpRing gives fd its filter and its ring.
func setUpRing(fd int, cfg *PacketConfig, cooked bool) ([]byte, error) {
	var filter FilterProgram
	if cfg.Filter != nil {
		sees := LinkEthernet
		if cooked {
			sees = LinkRaw
		}
		var err error
		if filter, err = cfg.Filter(sees); err != nil {
			return nil, err
		}
	}
	prog, err := captureProgram(filter, cfg.Snaplen)
	if err != nil {
		return nil, err
	}
	if err := attachRaw(fd, prog); err != nil {
		return nil, err
	}
	// Stamps of the moment when the stack gets a packet, before the processor
	// that handles it does; else the kernel takes one when it fills the ring.
	setStamps(fd, unix.SOF_TIMESTAMPING_RX_SOFTWARE|unix.SOF_TIMESTAMPING_SOFTWARE)
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, fmt.Errorf("choose ring version 3: %w", os.NewSyscallError("setsockopt", err))
	}
	blocks := uint32(cfg.Buffer / blockSize)
	req := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: blocks,
		Frame_size: frameSize, Frame_nr: blocks * (blockSize / frameSize),
		Retire_blk_tov: uint32(cfg.Delay.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return nil, fmt.Errorf("make a ring of %d bytes: %w", cfg.Buffer, os.NewSyscallError("setsockopt", err))
	}
	mem, err := unix.Mmap(fd, 0, int(blocks)*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a ring of %d bytes: %w", cfg.Buffer, os.NewSyscallError("mmap", err))
	}
	return mem, nil
}

// hear has fd hear the packets of an interface; 0: of all.
func hear(fd int, index uint32, promiscuous bool) error {
	if promiscuous {
		m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return fmt.Errorf("make the interface promiscuous: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	var all [2]byte
	binary.BigEndian.PutUint16(all[:], unix.ETH_P_ALL) // one protocol alone would leave out what goes
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: nativeUint16(all[:]), Ifindex: int(index)}); err != nil {
		return fmt.Errorf("hear the interface: %w", os.NewSyscallError("bind", err))
	}
	if errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && errno != 0 {
		return fmt.Errorf("hear the interface: %w", unix.Errno(errno)) // ENETDOWN
	}
	return nil
}

// Offsets within a block (struct tpacket_block_desc of linux/if_packet.h), and
// of the address that follows a packet's header.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	packetFrom   = 48 // TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
)

func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.block*blockSize+blockStatus]))
}

func (r *ring) more() bool {
	for r.left == 0 {
		if r.held {
			atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
			r.held = false
			r.block = (r.block + 1) % (len(r.mem) / blockSize)
		}
		if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
			return false
		}
		r.down = false
		b := r.mem[r.block*blockSize:]
		r.held, r.left = true, nativeUint32(b[blockPackets:])
		r.at = r.block*blockSize + int(nativeUint32(b[blockFirst:]))
	}
	return true
}

func (r *ring) next(p *CapturedPacket) {
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.mem[r.at : r.at+unix.SizeofTpacket3Hdr][0]))
	from := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&r.mem[r.at+packetFrom : r.at+packetFrom+unix.SizeofSockaddrLinklayer][0]))
	p.Time = time.Unix(int64(h.Sec), int64(h.Nsec))
	p.Outgoing, p.Loopback = from.Pkttype == packetOut, from.Hatype == hardwareLoop
	p.Unfinished = h.Status&unix.TP_STATUS_CSUMNOTREADY != 0
	p.IfIndex = int(from.Ifindex)
	p.IfName = r.names.of(uint32(from.Ifindex))
	data := r.mem[r.at+int(h.Mac):][:h.Snaplen]
	p.Link, p.Data, p.Len = LinkEthernet, p.Data[:0], int(h.Len)
	switch tag, tagged := vlanTag(h); {
	case r.cooked:
		p.Link, p.Data = LinkCooked, appendCooked(p.Data, h, from)
		p.Len += len(p.Data)
	case tagged && len(data) >= 2*macLen:
		p.Data = append(append(p.Data, data[:2*macLen]...), tag[:]...)
		p.Len += len(tag)
		data = data[2*macLen:]
	}
	p.Data = append(p.Data, data...)
	r.at += int(h.Next_offset)
	r.left--
	r.n++
}

// macLen is the length of an Ethernet address.
const macLen = 6

// vlanTag returns the tag that the kernel has taken off a packet, as it stood
// before the EtherType.
func vlanTag(h *unix.Tpacket3Hdr) (tag [4]byte, ok bool) {
	if h.Status&unix.TP_STATUS_VLAN_VALID == 0 {
		return tag, false
	}
	tpid := uint16(unix.ETH_P_8021Q)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = h.Hv1.Vlan_tpid
	}
	binary.BigEndian.PutUint16(tag[:], tpid)
	binary.BigEndian.PutUint16(tag[2:], uint16(h.Hv1.Vlan_tci))
	return tag, true
}

// appendCooked appends the header of LINKTYPE_LINUX_SLL2, with a VLAN tag
// behind it if there is one.
func appendCooked(b []byte, h *unix.Tpacket3Hdr, from *unix.RawSockaddrLinklayer) []byte {
	var protocol [2]byte
	binary.NativeEndian.PutUint16(protocol[:], from.Protocol) // which is in network byte order
	tag, tagged := vlanTag(h)
	if tagged {
		b = append(b, tag[:2]...)
	} else {
		b = append(b, protocol[:]...)
	}
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(from.Ifindex))
	b = binary.BigEndian.AppendUint16(b, from.Hatype)
	b = append(b, from.Pkttype, min(from.Halen, uint8(len(from.Addr))))
	b = append(b, from.Addr[:]...)
	if tagged {
		b = append(append(b, tag[2:]...), protocol[:]...)
	}
	return b
}

func (r *ring) taken() uint64 { return r.n }

func (r *ring) stop() error {
	var err error
	cerr := r.sock.raw.Control(func(fd uintptr) {
		err = attachRaw(int(fd), captureNothing)
	})
	return errors.Join(cerr, err)
}

// count reads the counters, which begins them anew.
func (r *ring) count(c *PacketStats) {
	_ = r.sock.raw.Control(func(fd uintptr) { // fails only when closed: there is nothing to add then
		st, err := unix.GetsockoptTpacketStatsV3(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err != nil {
			return
		}
		c.Queued += uint64(st.Packets - st.Drops) // Packets has both
		c.Dropped += uint64(st.Drops)
	})
}

// check finds out why a socket without packets is ready. That the interface is
// down may pass; that it has gone will not.
func (r *ring) check() error {
	var errno int
	var err error
	if cerr := r.sock.raw.Control(func(fd uintptr) {
		errno, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	}); cerr != nil || err != nil {
		return nil // it is being closed
	}
	switch {
	case errno == 0 && !r.down, errno == int(unix.ENETDOWN) && r.index == 0:
		return nil
	case errno != 0 && errno != int(unix.ENETDOWN):
		return fmt.Errorf("hear the interface: %w", unix.Errno(errno))
	}
	if _, err := r.sock.interfaceName(r.index); err != nil {
		return fmt.Errorf("hear the interface: %w", unix.ENODEV)
	}
	r.down = true
	return nil
}

func (r *ring) paused() bool { return r.down }

func (r *ring) close() error {
	mem := r.mem
	r.mem = nil
	return os.NewSyscallError("munmap", unix.Munmap(mem))
}

func (r *ring) link() (uint16, bool) {
	if r.cooked {
		return LinkCooked, false
	}
	return LinkEthernet, false
}
