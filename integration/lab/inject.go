//go:build linux

package lab

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// An Injector sends packets out of an interface as they are, past the host's
// routes and filters: whatever they say, and whoever they say they are from.
type Injector struct {
	fd    int
	index int
	to    []byte // hardware address
}

// Injector opens an injector.
func (i *Iface) Injector() (*Injector, error) {
	j := &Injector{fd: -1, index: i.Index, to: i.Peer().MAC}
	if i.router != nil {
		j.to = i.router
	}
	err := i.Host.Do(func() (err error) {
		// Without a protocol it receives nothing.
		j.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, i.wrap(fmt.Errorf("open injector: %w", err))
	}
	return j, nil
}

// Send sends an IP packet. Its error is unix.EINVAL for one that is empty.
func (j *Injector) Send(ip []byte) error {
	if len(ip) == 0 {
		return unix.EINVAL
	}
	proto := swapped(unix.ETH_P_IP)
	if ip[0]>>4 == 6 {
		proto = swapped(unix.ETH_P_IPV6)
	}
	to := &unix.SockaddrLinklayer{Protocol: proto, Ifindex: j.index, Halen: uint8(len(j.to))}
	copy(to.Addr[:], j.to)
	return os.NewSyscallError("sendto", unix.Sendto(j.fd, ip, 0, to))
}

// Close closes the injector.
func (j *Injector) Close() error { return os.NewSyscallError("close", unix.Close(j.fd)) }
