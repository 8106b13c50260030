package extract

import (
	"net/netip"
	"strconv"
	"strings"
)

// fileName returns the name of a conversation's file. It is made of the
// addresses, the identifier and the direction alone: nothing that came in a
// payload or a capture's text gets into it.
func fileName(k flowKey, part int) string {
	direction := "reply"
	if k.request {
		direction = "request"
	}
	name := safeAddr(k.src) + "_" + safeAddr(k.dst) + "_id" + strconv.Itoa(int(k.id)) + "_" + direction
	if part > 0 {
		name += "_part" + strconv.Itoa(part)
	}
	return name
}

// safeAddr writes an address with characters that every file system takes, "-"
// for ":". None begins with a dash, which a command would take for a flag.
func safeAddr(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	s := strings.ReplaceAll(a.WithZone("").String(), ":", "-")
	if strings.HasPrefix(s, "-") {
		return "0" + s
	}
	return s
}
