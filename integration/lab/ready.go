//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// readyPatience bounds the wait for the kernel to finish what it does in its own
// time, which takes it some milliseconds.
const readyPatience = 10 * time.Second

// waitReady waits until packets can pass: both ends have noticed that the other
// is up, and answer to their addresses.
func (l *Link) waitReady() error {
	for _, i := range []*Iface{l.A, l.B} {
		if err := i.waitCarrier(true); err != nil {
			return i.wrap(err)
		}
		if err := i.waitAddrs(); err != nil {
			return i.wrap(err)
		}
	}
	return nil
}

// waitDown waits until both ends have noticed that one is down.
func (l *Link) waitDown() error {
	for _, i := range []*Iface{l.A, l.B} {
		if err := i.waitCarrier(false); err != nil {
			return i.wrap(err)
		}
	}
	return nil
}

func (i *Iface) waitCarrier(up bool) error {
	return watch(i.Host, "carrier", func(updates chan<- netlink.LinkUpdate, done <-chan struct{}) error {
		return netlink.LinkSubscribeWithOptions(updates, done, netlink.LinkSubscribeOptions{ListExisting: true})
	}, func(u netlink.LinkUpdate) bool {
		attrs := u.Link.Attrs()
		return attrs.Index == i.Index && (attrs.OperState == netlink.OperUp) == up
	})
}

// waitAddrs waits for the local routes of the interface's IPv6 addresses: the
// kernel adds an address at once, and some time later the route without which
// it drops what comes for it.
func (i *Iface) waitAddrs() error {
	missing := map[netip.Addr]bool{}
	for _, p := range i.Addrs {
		if p.Addr().Is6() {
			missing[p.Addr()] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return watch(i.Host, "local routes", func(updates chan<- netlink.RouteUpdate, done <-chan struct{}) error {
		return netlink.RouteSubscribeWithOptions(updates, done, netlink.RouteSubscribeOptions{ListExisting: true})
	}, func(u netlink.RouteUpdate) bool {
		if u.Type == unix.RTM_NEWROUTE && u.Route.Type == unix.RTN_LOCAL && u.Dst != nil {
			if a, ok := netip.AddrFromSlice(u.Dst.IP); ok {
				delete(missing, a)
			}
		}
		return len(missing) == 0
	})
}

// watch waits for an update of the host's that enough accepts. Updates begin
// with what there is.
func watch[T any](h *Host, what string, subscribe func(chan<- T, <-chan struct{}) error, enough func(T) bool) error {
	updates, done := make(chan T), make(chan struct{})
	// The subscription's socket belongs to the thread that opens it.
	if err := h.root.do(func() error { return subscribe(updates, done) }); err != nil {
		return fmt.Errorf("watch %s: %w", what, err)
	}
	defer func() {
		close(done)
		for range updates { // until the subscription has ended
		}
	}()
	patience := time.NewTimer(readyPatience)
	defer patience.Stop()
	for {
		select {
		case u, ok := <-updates:
			if !ok {
				return fmt.Errorf("watch %s: subscription ended", what)
			}
			if enough(u) {
				return nil
			}
		case <-patience.C:
			return fmt.Errorf("watch %s: no change in %v", what, readyPatience)
		}
	}
}
