package icmpx

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/net/bpf"
)

// Link types of captured packets, and of the bytes that a filter sees, by the
// numbers of https://www.tcpdump.org/linktypes.html.
const (
	LinkEthernet uint16 = 1   // Ethernet header first, with any VLAN tags
	LinkRaw      uint16 = 101 // IPv4 or IPv6 header first
	LinkCooked   uint16 = 276 // Linux cooked capture, version 2: 20 bytes that say what the link header said
)

// Bounds of a PacketConfig.
const (
	MaxSnaplen = 256 << 10 // more than any packet has
	MinBuffer  = 512 << 10
	MaxBuffer  = 1 << 30
)

// What a PacketConfig that says nothing stands for.
const (
	defaultBuffer = 16 << 20
	defaultDelay  = 20 * time.Millisecond
	maxDelay      = 10 * time.Second
)

// A FilterProgram is a program of the kernel's packet filter.
type FilterProgram = []bpf.Instruction

// A PacketConfig says what ListenPackets opens. The zero value hears every
// packet of every interface, in both directions.
type PacketConfig struct {
	// Interface is the name of the network device; "" or "any": all of them.
	Interface string

	// Filter returns the program that chooses packets in the kernel; what it
	// returns for a packet, if not 0, is how many bytes are kept. link says what
	// the program sees: LinkEthernet, or LinkRaw where the link header is not
	// kept. A VLAN tag that the kernel took off is not seen. nil: all packets.
	Filter func(link uint16) (FilterProgram, error)

	Snaplen     int           // bytes kept of a packet, up to MaxSnaplen; 0: MaxSnaplen
	Promiscuous bool          // hear what is for other hosts too (PACKET_MR_PROMISC); of one interface only
	Buffer      int           // bytes of the ring that the kernel fills, from MinBuffer to MaxBuffer; 0: 16 MiB
	Delay       time.Duration // longest time that a packet waits for others to be read with, from 1 ms to 10 s; 0: 20 ms
}

// validate finds what is wrong whatever the host, and fills in defaults.
func (c *PacketConfig) validate() error {
	if c.Interface == "any" {
		c.Interface = ""
	}
	c.Snaplen = cmp.Or(c.Snaplen, MaxSnaplen)
	c.Buffer = cmp.Or(c.Buffer, defaultBuffer)
	c.Delay = cmp.Or(c.Delay, defaultDelay)
	switch {
	case c.Snaplen < 0 || c.Snaplen > MaxSnaplen:
		return fmt.Errorf("open packet socket: %d bytes of a packet are not within 1 to %d", c.Snaplen, MaxSnaplen)
	case c.Buffer < MinBuffer || c.Buffer > MaxBuffer:
		return fmt.Errorf("open packet socket: a buffer of %d bytes is not within %d to %d", c.Buffer, MinBuffer, MaxBuffer)
	case c.Delay < time.Millisecond || c.Delay > maxDelay:
		return fmt.Errorf("open packet socket: a delay of %v is not within 1 ms to %v", c.Delay, maxDelay)
	case c.Promiscuous && c.Interface == "":
		return errors.New("open packet socket: promiscuous mode is of one interface, and none is chosen")
	}
	return nil
}

// A CapturedPacket is a packet as a PacketSocket heard it. Data is memory of the
// CapturedPacket, which the next packet that is read into it overwrites.
type CapturedPacket struct {
	Time     time.Time // by the kernel's clock, as close to the device as it takes one
	Len      int       // bytes that the packet has, with the header that Link names
	Data     []byte    // the bytes that were kept
	Link     uint16    // LinkEthernet, LinkCooked or LinkRaw
	IfIndex  int       // of the interface; 0: not known
	IfName   string    // "": not known, as of one that is gone
	Outgoing bool      // sent by this host; of loopback packets false
	Loopback bool      // of a loopback interface: this host is sender and receiver

	// Unfinished: checksums are left to a device that has not computed them yet
	// (TP_STATUS_CSUMNOTREADY). They are not bad.
	Unfinished bool
}

// PacketStats counts what passed the filter of a PacketSocket.
type PacketStats struct {
	Queued  uint64 // packets that Next returned, or will return
	Dropped uint64 // packets that the kernel dropped for want of room
}

// What stands before every filter, in classic BPF. A packet on the loopback
// interface comes by twice, on its way out and on its way in: the first is left
// out, as tcpdump does.
const (
	bpfLoadWord   = 0x20       // BPF_LD | BPF_W | BPF_ABS
	bpfReturn     = 0x06       // BPF_RET | BPF_K
	bpfAncillary  = 0xfffff000 // SKF_AD_OFF of linux/filter.h
	ancPacketType = 4          // SKF_AD_PKTTYPE
	ancHardware   = 28         // SKF_AD_HATYPE
	packetOut     = 4          // PACKET_OUTGOING of linux/if_packet.h
	hardwareLoop  = 772        // ARPHRD_LOOPBACK of linux/if_arp.h
)

// captureNothing lets no packet pass.
var captureNothing = []bpf.RawInstruction{{Op: bpfReturn}}

// captureProgram is filter, for packets other than a loopback's outgoing ones,
// that keeps at most snaplen bytes. An empty filter takes all.
func captureProgram(filter FilterProgram, snaplen int) ([]bpf.RawInstruction, error) {
	if len(filter) == 0 {
		filter = FilterProgram{bpf.RetConstant{Val: math.MaxInt32}}
	}
	prog, err := bpf.Assemble(append(FilterProgram{
		bpf.RawInstruction{Op: bpfLoadWord, K: bpfAncillary + ancPacketType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOut, SkipFalse: 3},
		bpf.RawInstruction{Op: bpfLoadWord, K: bpfAncillary + ancHardware},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: hardwareLoop, SkipFalse: 1},
		bpf.RetConstant{Val: 0},
	}, filter...))
	if err != nil {
		return nil, fmt.Errorf("assemble filter: %w", err)
	}
	for i := range prog {
		if prog[i].Op == bpfReturn {
			prog[i].K = min(prog[i].K, uint32(snaplen))
		}
	}
	return prog, nil
}
