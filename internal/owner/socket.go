package owner

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Kind is a kind of socket that ICMP can be sent with.
type Kind uint8

// Kinds of sockets.
const (
	Ping Kind = iota + 1 // SOCK_DGRAM: the kernel sees to the identifier
	Raw                  // SOCK_RAW
)

// String returns "ping" or "raw".
func (k Kind) String() string {
	switch k {
	case Ping:
		return "ping"
	case Raw:
		return "raw"
	}
	return "unknown"
}

// Protocols of raw sockets that ICMP can be sent with (IANA protocol numbers).
const (
	protoICMP   = 1
	protoICMPv6 = 58
	protoRaw    = 255 // IPPROTO_RAW: any, with the header given; it hears nothing
)

// A Socket is one row of the kernel's tables.
type Socket struct {
	Kind      Kind
	V6        bool
	ID        uint16     // of a ping socket: identifier of its echo messages; 0: it has sent none yet
	Protocol  uint8      // of a raw socket
	Local     netip.Addr // that it is bound to; the zero Addr: any
	Remote    netip.Addr // that it is connected to; the zero Addr: any
	UID       uint32     // user who opened it
	Inode     uint64     // names it among all sockets of the host
	Namespace uint64     // inode number of its network namespace; 0: not asked for
}

// A table is a file of sockets below a process's net directory.
type table struct {
	name string
	kind Kind
	v6   bool
}

var icmpTables = []table{{"icmp", Ping, false}, {"icmp6", Ping, true}, {"raw", Raw, false}, {"raw6", Raw, true}}

// Bounds: of a table in bytes, some 150 to a socket, and of sockets altogether.
const (
	maxTable   = 8 << 20
	maxSockets = 1 << 16
)

// ReadSockets reads which ICMP sockets there are in one network namespace. proc
// is the file system that Linux mounts at /proc; net is the directory of the
// tables in it, such as "self/net". A table that the kernel lacks is empty.
func ReadSockets(proc fs.FS, net string) ([]Socket, error) {
	var all []Socket
	for _, t := range icmpTables {
		text, err := readBounded(proc, net+"/"+t.name, maxTable)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		first := true
		for line := range strings.Lines(string(text)) {
			if first { // names of the columns
				first = false
				continue
			}
			if s, ok := parseRow(t, line); ok && len(all) < maxSockets {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// readBounded reads at most limit bytes of a file.
func readBounded(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// parseRow reads a row; false: it is no ICMP socket, or makes no sense.
func parseRow(t table, line string) (s Socket, ok bool) {
	s.Kind, s.V6 = t.kind, t.v6
	f := strings.Fields(line)
	// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
	if len(f) < 10 {
		return s, false
	}
	local, port, lok := parseAddress(f[1], t.v6)
	remote, _, rok := parseAddress(f[2], t.v6)
	uid, uerr := strconv.ParseUint(f[7], 10, 32)
	inode, ierr := strconv.ParseUint(f[9], 10, 64)
	if !lok || !rok || uerr != nil || ierr != nil {
		return s, false
	}
	s.Local, s.Remote, s.UID, s.Inode = local, remote, uint32(uid), inode
	if t.kind == Ping {
		s.ID = port
		return s, true
	}
	s.Protocol = uint8(port)
	own := uint16(protoICMP)
	if t.v6 {
		own = protoICMPv6
	}
	return s, port == own || port == protoRaw
}

// parseAddress reads an address as the tables have it: 32-bit words in the byte
// order of the machine, in hexadecimal. The unspecified address is the zero
// Addr. Behind the colon stand identifier or protocol.
func parseAddress(text string, v6 bool) (netip.Addr, uint16, bool) {
	words, number, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(words)
	port, perr := strconv.ParseUint(number, 16, 16)
	if size := map[bool]int{false: 4, true: 16}[v6]; err != nil || perr != nil || len(b) != size {
		return netip.Addr{}, 0, false
	}
	if littleEndian() {
		for i := 0; i < len(b); i += 4 {
			slices.Reverse(b[i : i+4])
		}
	}
	a, _ := netip.AddrFromSlice(b)
	a = a.Unmap()
	if a.IsUnspecified() {
		a = netip.Addr{}
	}
	return a, uint16(port), true
}
