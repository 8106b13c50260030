//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Capture records the packets that pass an interface, both ways.
type Capture struct {
	fd    int
	local int // index of the interface
}

// A Frame is a captured packet, from its IP header on.
type Frame struct {
	Time time.Time // by the kernel, at the device; zero if it was not yet taking times
	Out  bool      // sent by this interface; else received
	Data []byte
}

// captureBuffer is the memory for packets not yet read, in bytes; a small
// packet takes about 800.
const captureBuffer = 64 << 20

// maxFrame is the largest IP packet.
const maxFrame = 1<<16 - 1

// Capture starts to record.
func (i *Iface) Capture() (*Capture, error) {
	c := &Capture{fd: -1, local: i.Index}
	if err := i.Host.Do(c.open); err != nil {
		c.Close()
		return nil, fmt.Errorf("capture on %s of %s: %w", i.Name, i.Host.Name, err)
	}
	return c, nil
}

func (c *Capture) open() (err error) {
	// Without a protocol until it is bound: else it records every interface.
	c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	// Beyond the system's limit where that is allowed.
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureBuffer) != nil {
		err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, captureBuffer)
		if err != nil {
			return os.NewSyscallError("setsockopt SO_RCVBUF", err)
		}
	}
	const stamps = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stamps); err != nil {
		return os.NewSyscallError("setsockopt SO_TIMESTAMPING", err)
	}
	return os.NewSyscallError("bind", unix.Bind(c.fd, &unix.SockaddrLinklayer{
		Protocol: swapped(unix.ETH_P_ALL), Ifindex: c.local,
	}))
}

// Frames returns the IP packets recorded since the last call.
func (c *Capture) Frames() ([]Frame, error) {
	var frames []Frame
	buf, oob := make([]byte, maxFrame), make([]byte, 256)
	for {
		n, oobn, _, from, err := unix.Recvmsg(c.fd, buf, oob, 0)
		if errors.Is(err, unix.EAGAIN) {
			return frames, nil
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return frames, os.NewSyscallError("recvmsg", err)
		}
		link, ok := from.(*unix.SockaddrLinklayer)
		if !ok || !isIP(link.Protocol) {
			continue
		}
		frames = append(frames, Frame{
			Time: stampOf(oob[:oobn]),
			Out:  link.Pkttype == unix.PACKET_OUTGOING,
			Data: append([]byte(nil), buf[:n]...),
		})
	}
}

// isIP reports whether proto, in network byte order, is IPv4 or IPv6.
func isIP(proto uint16) bool {
	return proto == swapped(unix.ETH_P_IP) || proto == swapped(unix.ETH_P_IPV6)
}

// swapped returns v in network byte order.
func swapped(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

// stampOf returns the software time of a control message, or the zero Time.
func stampOf(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMPING {
			continue
		}
		if sec, nsec, ok := timespec(m.Data); ok && sec != 0 {
			return time.Unix(sec, nsec)
		}
	}
	return time.Time{}
}

// timespec reads the kernel's struct timespec from the start of b.
func timespec(b []byte) (sec, nsec int64, ok bool) {
	var ts unix.Timespec
	if len(b) < int(unsafe.Sizeof(ts)) {
		return 0, 0, false
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&ts)), unsafe.Sizeof(ts)), b)
	return int64(ts.Sec), int64(ts.Nsec), true
}

// Close ends the recording.
func (c *Capture) Close() error {
	if c.fd < 0 {
		return nil
	}
	fd := c.fd
	c.fd = -1
	return os.NewSyscallError("close", unix.Close(fd))
}
