package owner

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// A Row is a socket with the processes that have it.
type Row struct {
	Socket
	Processes []Process // none: the kernel's own, ended since, or hidden
}

// A Host is all ICMP sockets that could be found, by namespace, family and kind.
type Host struct {
	Rows   []Row
	Hidden int // processes that could not be looked at: sockets may be missing or without a process
}

// List finds all ICMP sockets of the host: those of every network namespace
// that a visible process is in.
func List(proc fs.FS) (Host, error) {
	nets := map[uint64]string{}
	err := eachProcess(proc, func(_ int, dir string) {
		target, err := fs.ReadLink(proc, dir+"/ns/net")
		if err != nil {
			return
		}
		digits := strings.TrimSuffix(strings.TrimPrefix(target, "net:["), "]")
		n, err := strconv.ParseUint(digits, 10, 64)
		if _, known := nets[n]; err == nil && !known {
			nets[n] = dir + "/net"
		}
	})
	if err != nil {
		return Host{}, err
	}
	var h Host
	var inodes []uint64
	for n, net := range nets {
		sockets, err := ReadSockets(proc, net)
		if err != nil && !errors.Is(err, fs.ErrPermission) && !gone(proc, strings.TrimSuffix(net, "/net")) {
			return h, err
		}
		for _, s := range sockets {
			s.Namespace = n
			h.Rows = append(h.Rows, Row{Socket: s})
			inodes = append(inodes, s.Inode)
		}
	}
	answer, err := Find(proc, inodes)
	if len(inodes) == 0 { // what is hidden may have some
		answer.Hidden, err = countHidden(proc)
	}
	h.Hidden = answer.Hidden
	for i := range h.Rows {
		h.Rows[i].Processes = answer.Processes[h.Rows[i].Inode]
	}
	slices.SortFunc(h.Rows, compareRows)
	return h, err
}

// countHidden counts the processes whose descriptors may not be seen.
func countHidden(proc fs.FS) (n int, err error) {
	err = eachProcess(proc, func(_ int, dir string) {
		if _, err := fs.ReadDir(proc, dir+"/fd"); isPermission(err) && alive(proc, dir) {
			n++
		}
	})
	return n, err
}

func compareRows(a, b Row) int {
	v6 := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), v6[a.V6]-v6[b.V6], cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.ID, b.ID), cmp.Compare(a.Inode, b.Inode))
}

func isPermission(err error) bool { return errors.Is(err, fs.ErrPermission) }
