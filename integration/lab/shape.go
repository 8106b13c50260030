//go:build linux

package lab

import (
	"github.com/vishvananda/netlink"
)

// Shape lets packets leave the interface at a rate in bytes a second, after a
// first burst, and drops what does not fit into a queue; burst and queue are in
// bytes, link headers (14 bytes) counted. The sender of a packet that is
// dropped gets ENOBUFS, if its socket asks for it (tc-tbf(8)).
func (i *Iface) Shape(rate, burst, queue int) error {
	// The kernel wants the burst as the time that it takes at that rate.
	ticks := float64(burst) / float64(rate) * float64(netlink.TIME_UNITS_PER_SEC) * netlink.TickInUsec()
	return wrap("shape", i.Host.nl.QdiscReplace(&netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: i.Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT,
		},
		Rate: uint64(rate), Limit: uint32(queue), Buffer: uint32(min(ticks, 1<<32-1)),
	}))
}

// Unshape lets packets leave the interface freely again.
func (i *Iface) Unshape() error {
	qdiscs, err := i.Host.nl.QdiscList(device(i.Index))
	if err != nil {
		return wrap("list qdiscs", err)
	}
	for _, q := range qdiscs {
		if q.Type() != "tbf" || q.Attrs().Parent != netlink.HANDLE_ROOT {
			continue
		}
		if err := i.Host.nl.QdiscDel(q); err != nil {
			return wrap("unshape", err)
		}
	}
	return nil
}
