//go:build linux

package lab

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtoolValue is struct ethtool_value of linux/ethtool.h.
type ethtoolValue struct{ cmd, data uint32 }

// ethtoolRequest is struct ifreq of linux/if.h as SIOCETHTOOL takes it.
type ethtoolRequest struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [16]byte // the rest of the union, which is at most 24 bytes
}

// offloadOff has the kernel finish every packet before it enters the named
// device of the calling thread's namespace: checksums filled in, nothing merged
// or left to be split.
func offloadOff(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	for _, cmd := range []uint32{
		unix.ETHTOOL_STSO, unix.ETHTOOL_SGSO, unix.ETHTOOL_SGRO, unix.ETHTOOL_STXCSUM,
	} {
		value := &ethtoolValue{cmd: cmd}
		var req ethtoolRequest
		copy(req.name[:unix.IFNAMSIZ-1], name)
		req.data = unsafe.Pointer(value)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
		runtime.KeepAlive(value)
		if errno != 0 {
			return fmt.Errorf("switch offload %#x off: %w", cmd, os.NewSyscallError("ioctl SIOCETHTOOL", errno))
		}
	}
	return nil
}
