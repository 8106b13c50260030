package owner

import (
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"
)

// A host is a /proc in memory.
type host struct {
	fstest.MapFS
	denied map[string]bool // directories that may not be read
}

func (h *host) ReadDir(name string) ([]fs.DirEntry, error) {
	if h.denied[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return h.MapFS.ReadDir(name)
}

func (h *host) ReadLink(name string) (string, error) {
	if h.denied[name] {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrPermission}
	}
	return h.MapFS.ReadLink(name)
}

const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"

// row is a row of a table as Linux prints it (raw_sock_seq_show of net/ipv4/raw.c,
// __ip6_dgram_sock_seq_show of net/ipv6/datagram.c).
func row(local, remote string, uid, inode int) string {
	return fmt.Sprintf("  300: %s %s 07 00000000:00000000 00:00000000 00000000  %4d        0 %d 2 0000000000000000 0\n", local, remote, uid, inode)
}

// newHost has two network namespaces: that of process 100 and others, and that
// of process 300.
func newHost() *host {
	h := &host{MapFS: fstest.MapFS{}, denied: map[string]bool{}}
	h.table("self", "icmp", row("00000000:1234", "00000000:0000", 1000, 11), row("010200C0:4321", "020200C0:0000", 0, 12))
	h.table("self", "icmp6", row("00000000000000000000000000000000:1234", "B80D0120000000000000000001000000:0000", 1000, 13))
	h.table("self", "raw",
		row("00000000:0001", "00000000:0000", 0, 21), row("00000000:0059", "00000000:0000", 0, 22),
		row("010200C0:0001", "00000000:0000", 0, 23), row("00000000:00FF", "00000000:0000", 0, 24))
	for _, name := range []string{"icmp", "icmp6", "raw"} {
		h.MapFS["100/net/"+name] = h.MapFS["self/net/"+name]
	}
	h.table("300", "icmp", row("00000000:0007", "00000000:0000", 0, 31))
	h.process(100, "ping", 1, 11, 12)
	h.process(101, "two words", 1, 21)
	h.process(102, "mtr\"\n", 1, 21, 23)
	h.process(300, "inside", 2, 31)
	return h
}

func (h *host) table(pid, name string, rows ...string) {
	h.MapFS[pid+"/net/"+name] = &fstest.MapFile{Data: []byte(heading + strings.Join(rows, ""))}
}

func (h *host) process(pid int, command string, net int, inodes ...int) {
	dir := fmt.Sprintf("%d/", pid)
	h.link(dir+"ns/net", fmt.Sprintf("net:[%d]", net))
	h.MapFS[dir+"comm"] = &fstest.MapFile{Data: []byte(command + "\n")}
	h.MapFS[dir+"statm"] = &fstest.MapFile{Data: []byte("1000 100 90 30 0 60 0\n")}
	h.link(dir+"fd/0", "/dev/null")
	for i, n := range inodes {
		h.link(fmt.Sprintf("%sfd/%d", dir, i+3), fmt.Sprintf("socket:[%d]", n))
		h.link(fmt.Sprintf("%sfd/%d", dir, i+30), fmt.Sprintf("socket:[%d]", n)) // duplicated
	}
}

func (h *host) link(name, target string) {
	h.MapFS[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink}
}

// end has a process end.
func (h *host) end(pid int) {
	for name := range h.MapFS {
		if strings.HasPrefix(name, fmt.Sprintf("%d/", pid)) {
			delete(h.MapFS, name)
		}
	}
}
