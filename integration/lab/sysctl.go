//go:build linux

package lab

import (
	"fmt"
	"os"
	"strings"
)

// A Sysctl is a kernel setting, such as {"net.ipv4.icmp_echo_ignore_all", "1"}.
// A dot separates the parts of its name.
type Sysctl struct{ Name, Value string }

// Sysctl sets kernel settings of the host, in order.
func (h *Host) Sysctl(settings ...Sysctl) error {
	if err := h.root.do(func() error { return writeSysctls(settings) }); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	return nil
}

// writeSysctls writes settings of the namespace that the calling thread is in:
// /proc/sys/net shows each thread its own.
func writeSysctls(settings []Sysctl) error {
	for _, s := range settings {
		path := "/proc/sys/" + strings.ReplaceAll(s.Name, ".", "/")
		err := os.WriteFile(path, []byte(s.Value), 0)
		if err != nil {
			return fmt.Errorf("set %s=%s: %w", s.Name, s.Value, err)
		}
	}
	return nil
}

// hostSysctls are the settings of a new host. A namespace copies many from the
// machine it is on; those that matter are set, so that every machine has the
// same lab.
func hostSysctls(o HostOptions) []Sysctl {
	forward := "0"
	if o.Router {
		forward = "1"
	}
	s := []Sysctl{
		{"net.ipv4.ip_forward", forward}, // first: it resets others
		{"net.ipv6.conf.all.forwarding", forward},
		{"net.ipv4.conf.all.rp_filter", "0"},
		{"net.ipv4.conf.default.rp_filter", "0"},
		{"net.ipv4.icmp_echo_ignore_all", "0"},
		{"net.ipv6.conf.all.disable_ipv6", "0"},
		{"net.ipv6.conf.default.disable_ipv6", "0"},
		{"net.ipv6.conf.all.accept_dad", "0"}, // else addresses are tentative for a second or two
		{"net.ipv6.conf.default.accept_dad", "0"},
		{"net.ipv6.conf.default.router_solicitations", "0"}, // nobody would answer
		{"net.ipv6.conf.all.keep_addr_on_down", "1"},        // as IPv4 does
		{"net.ipv6.conf.default.keep_addr_on_down", "1"},
	}
	if !o.RateLimits {
		// No type of message has a limit. (Not icmp_ratelimit=0: with it, each
		// error empties the account that errors about routes are paid from.)
		s = append(s, Sysctl{"net.ipv4.icmp_ratemask", "0"}, Sysctl{"net.ipv6.icmp.ratemask", "\n"})
	}
	return s
}

// AllowPing opens ICMP datagram sockets to ordinary users, by
// net.ipv4.ping_group_range (which holds for IPv6 too). A new host, as the
// kernel has it, denies them to everybody, root included.
func (h *Host) AllowPing() error {
	value := "0 2147483647"
	if !Mapped() {
		value = "0 0" // the only group there is; nor can the range be closed again
	}
	return h.Sysctl(Sysctl{"net.ipv4.ping_group_range", value})
}
