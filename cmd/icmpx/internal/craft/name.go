package craft

import (
	"strconv"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// Find returns the message that a word names, in a family, and whether there is
// one: by number as in "5" or "5/1", or by a name that icmpx.MessagesNamed
// knows. A code may follow a name: "redirect/1".
func Find(f icmpx.Family, word string) (typ, code uint8, ok bool) {
	name, behind, more := strings.Cut(word, "/")
	if typ, code, ok = find(f, name); !ok || !more {
		return typ, code, ok
	}
	n, err := strconv.ParseUint(behind, 10, 8)
	return typ, uint8(n), err == nil
}

func find(f icmpx.Family, name string) (typ, code uint8, ok bool) {
	if n, err := strconv.ParseUint(name, 10, 8); err == nil {
		return uint8(n), 0, true
	}
	for _, m := range icmpx.MessagesNamed(name) {
		if m.Family == f {
			return m.Type, m.Code, true
		}
	}
	return 0, 0, false
}
