package owner

import (
	"encoding/binary"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// A Process has a socket among its descriptors.
type Process struct {
	PID     int
	Command string // up to 15 bytes that the process may choose: escape them
}

// An Answer says which processes have which sockets.
type Answer struct {
	Processes map[uint64][]Process // by inode of the socket, in order of PID
	Hidden    int                  // processes whose descriptors this process may not see
}

// Bounds of one search: descriptors looked at, and processes named for a
// socket.
const (
	maxDescriptors = 1 << 20
	maxOwners      = 64
	maxCommand     = 64 // bytes; the kernel's limit is 15
)

// Find finds the processes that have the sockets with these inode numbers, by
// looking at the descriptors of all processes that may be seen. A process that
// ends meanwhile is left out.
func Find(proc fs.FS, inodes []uint64) (Answer, error) {
	a := Answer{Processes: make(map[uint64][]Process, len(inodes))}
	if len(inodes) == 0 {
		return a, nil
	}
	wanted := make(map[string]uint64, len(inodes))
	for _, n := range inodes {
		wanted["socket:["+strconv.FormatUint(n, 10)+"]"] = n
	}
	left := maxDescriptors
	err := eachProcess(proc, func(pid int, dir string) {
		entries, err := fs.ReadDir(proc, dir+"/fd")
		if isPermission(err) && alive(proc, dir) || left < 0 {
			a.Hidden++
		}
		if err != nil || left < 0 {
			return
		}
		left -= len(entries)
		unseen := false
		for _, e := range entries {
			target, err := fs.ReadLink(proc, dir+"/fd/"+e.Name())
			unseen = unseen || isPermission(err)
			if inode, ok := wanted[target]; ok {
				a.add(inode, pid, proc, dir)
			}
		}
		if unseen && alive(proc, dir) {
			a.Hidden++
		}
	})
	for _, list := range a.Processes {
		slices.SortFunc(list, func(x, y Process) int { return x.PID - y.PID })
	}
	return a, err
}

// add names a process, once for a socket.
func (a *Answer) add(inode uint64, pid int, proc fs.FS, dir string) {
	list := a.Processes[inode]
	if len(list) >= maxOwners || slices.ContainsFunc(list, func(p Process) bool { return p.PID == pid }) {
		return
	}
	name, err := readBounded(proc, dir+"/comm", maxCommand)
	if err != nil {
		return // it has ended
	}
	a.Processes[inode] = append(list, Process{PID: pid, Command: strings.TrimSuffix(string(name), "\n")})
}

// eachProcess calls yield with every process there is.
func eachProcess(proc fs.FS, yield func(pid int, dir string)) error {
	entries, err := fs.ReadDir(proc, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid > 0 {
			yield(pid, e.Name())
		}
	}
	return nil
}

// alive reports whether a process has memory of its own, and so may have sockets:
// those of the kernel have none, and one that is about to end has none left,
// which makes its descriptors nobody's to see.
func alive(proc fs.FS, dir string) bool {
	sizes, err := readBounded(proc, dir+"/statm", maxCommand)
	return err == nil && !strings.HasPrefix(string(sizes), "0 ")
}

// gone reports whether a process has ended, of which nothing is hidden then.
func gone(proc fs.FS, dir string) bool {
	_, err := fs.Stat(proc, dir)
	return err != nil
}

// littleEndian reports the byte order of this machine, which is that of the
// tables.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }
