// Package craft makes ICMP messages and the IP packets around them of fields,
// and reads the fields back. It knows which message has which field, what a
// message is called, what an answer to it looks like, and what the RFCs say
// against sending it. It sends nothing.
package craft

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

// Fields are what the messages of all types are made of. Each type uses some of
// them, see Has.
type Fields struct {
	ID, Seq uint16
	Data    []byte // of an echo, or behind another message that may have it

	Originate, Receive, Transmit uint32     // milliseconds since midnight UT
	Mask                         netip.Addr // IPv4; zero: 0.0.0.0

	MTU     uint32     // bytes
	Pointer uint32     // offset in the quote
	Gateway netip.Addr // IPv4

	Quote      []byte // the packet that an error is about
	Extensions []icmp.Extension
	Form       icmpx.Form

	Flags    Flags
	State    uint8 // of an extended echo reply, 0 to 7
	Lifetime uint16
	Routers  []icmpx.Router // RFC 1256

	HopLimit, Preference  uint8 // of a router advertisement
	Reachable, Retransmit uint32

	Target, Destination netip.Addr
	Options             []icmpx.NDOption

	Group    netip.Addr
	MaxDelay uint16 // milliseconds
	Records  []icmpx.MLDRecord
}

// Flags are the flags of all messages.
type Flags uint16

// The flags.
const (
	FlagLocal      Flags = 1 << iota // extended echo request: of the node that is asked
	FlagActive                       // extended echo reply
	FlagIPv4                         // extended echo reply
	FlagIPv6                         // extended echo reply
	FlagManaged                      // router advertisement
	FlagOther                        // router advertisement
	FlagHomeAgent                    // router advertisement
	FlagProxy                        // router advertisement
	FlagRouter                       // neighbour advertisement
	FlagSolicited                    // neighbour advertisement
	FlagOverride                     // neighbour advertisement
	FlagNoChecksum                   // extended echo request: of the extension structure
)

// flagWords are the flags by name, in the order of their bits.
var flagWords = [...]string{
	"local", "active", "ipv4", "ipv6", "managed", "other", "home-agent", "proxy",
	"router", "solicited", "override", "no-checksum",
}

// flagsOf are the flags that a layout has.
func flagsOf(l *layout) Flags { return l.flags }

// ParseFlags reads a list of flags, "solicited,override", of a message.
func ParseFlags(f icmpx.Family, typ, code uint8, list string) (Flags, error) {
	var flags Flags
	has := flagsOf(layoutOf(f, typ, code))
	for word := range strings.SplitSeq(list, ",") {
		i := slices.Index(flagWords[:], word)
		if i < 0 || has&(1<<i) == 0 {
			return 0, fmt.Errorf("%q is no flag of %s; %s", word, Describe(f, typ, code), has.hint())
		}
		flags |= 1 << i
	}
	return flags, nil
}

func (f Flags) hint() string {
	if f == 0 {
		return "it has none"
	}
	return "it has " + f.String()
}

// String returns the names of the flags that are set, with commas between.
func (f Flags) String() string {
	var words []string
	for i, w := range flagWords {
		if f&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

// has reports whether a flag is set.
func (f Flags) has(one Flags) bool { return f&one != 0 }

// when returns one if set is.
func (one Flags) when(set bool) Flags {
	if set {
		return one
	}
	return 0
}
