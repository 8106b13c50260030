package trace

import (
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// A Change is a set of fields of a probe that differ between what was sent and
// what an error quotes.
type Change uint16

// The fields.
const (
	ChangedSource          Change = 1 << iota // source address
	ChangedDestination                        // destination address
	ChangedSourcePort                         // source port, or the identifier of an echo
	ChangedDestinationPort                    // destination port
	ChangedChecksum                           // UDP checksum, which a translator has to fix
	ChangedTOS                                // type of service or traffic class
	ChangedLength                             // length of the packet
)

var changeNames = [...]string{"source", "destination", "source_port", "destination_port", "checksum", "tos", "length"}

// translated are the fields that a network address translator changes.
const translated = ChangedSource | ChangedDestination | ChangedSourcePort | ChangedDestinationPort | ChangedChecksum

// String returns the names of the fields, with commas between them: "source",
// "destination", "source_port", "destination_port", "checksum", "tos", "length".
func (c Change) String() string {
	var names []string
	for c &= 1<<len(changeNames) - 1; c != 0; c &= c - 1 {
		names = append(names, changeNames[bits.TrailingZeros16(uint16(c))])
	}
	return strings.Join(names, ",")
}

// changes compares what an error quotes with the probe. A NAT that repairs its
// quotes, as Linux does, leaves nothing to see. Its rules:
//
//  1. the source is compared with the own address that the error came to, the
//     destination with that of the probe, which on a source route is any of the
//     gateways until the last has passed it on;
//  2. ports and identifier are compared with the key's, unless fewer than 8
//     transport bytes were quoted;
//  3. a UDP checksum is compared where it is the probe's tag;
//  4. the length may be quoted in host byte order, or with the header's length
//     added or taken away, as old BSD kernels do, and is then as it was sent;
//     that of a fragment says nothing.
func changes(m Method, via route, sent *icmpx.Request, r *icmpx.Reply) Change {
	q := &r.Quote
	if q.Family == 0 {
		return 0
	}
	var c Change
	if r.To.IsValid() && q.Src.IsValid() && !sameAddr(q.Src, r.To) {
		c |= ChangedSource
	}
	if q.Dst.IsValid() && !sameAddr(q.Dst, sent.Dst) && !slices.Contains(via, bare(q.Dst)) {
		c |= ChangedDestination
	}
	if sent.TOS >= 0 && q.TOS != uint8(sent.TOS) {
		c |= ChangedTOS
	}
	if sent.Size != 0 && q.TotalLen != 0 && !sameLength(via.sizeOf(sent), via, q) {
		c |= ChangedLength
	}
	if q.HasL4 {
		c |= transportChanges(m, sent.Key, q)
	}
	return c
}

func transportChanges(m Method, k icmpx.Key, q *icmpx.Quote) (c Change) {
	source, dest := uint16(k.Flow>>16), uint16(k.Flow)
	gotSource, gotDest := q.SrcPort, q.DstPort
	switch m {
	case ICMP:
		source, dest, gotSource, gotDest = uint16(k.Flow), 0, q.ICMPID, 0
	case UDPClassic:
		source, dest = uint16(k.Flow), uint16(k.Tag)
	case UDP, UDPFixed:
		if q.Checksum != uint16(k.Tag) {
			c |= ChangedChecksum
		}
	}
	if gotSource != source {
		c |= ChangedSourcePort
	}
	if gotDest != dest {
		c |= ChangedDestinationPort
	}
	return c
}

func sameLength(sent int, via route, q *icmpx.Quote) bool {
	header := q.Family.HeaderLen() + via.length()
	if q.MF || q.FragOff != 0 {
		return true
	}
	switch q.TotalLen {
	case sent:
		return true
	case sent - header, sent + header, int(bits.ReverseBytes16(uint16(sent))):
		return q.Family == icmpx.IPv4
	}
	return false
}

// ownProto reports whether a quoted packet is of the protocol that was sent.
func ownProto(m Method, q *icmpx.Quote) bool {
	return q.Family == 0 || q.Proto == m.number(q.Family)
}

// startTTLs are the TTLs that hosts and routers start with.
var startTTLs = [...]int{64, 128, 255}

// wayBack guesses from the TTL of an answer at arrival how many hops it took: a
// neighbour's takes one. Of the TTLs that it may have started with it takes the
// one that makes the way back most like the way there; 0 if none does.
func wayBack(ttl uint8, there int) int {
	best := 0
	for _, start := range startTTLs {
		back := start - int(ttl) + 1
		if ttl > 0 && back > 0 && (best == 0 || distance(back, there) < distance(best, there)) {
			best = back
		}
	}
	return best
}

func distance(a, b int) int { return max(a-b, b-a) }

// newProbe is what an answer says. It shares no memory with the engine.
func newProbe(m Method, via route, res *probe.Result) Probe {
	r := &res.Reply
	p := Probe{
		State: Answered, TTL: int(res.Probe.TTL), Size: via.sizeOf(&res.Probe.Request),
		From: r.From, RTT: res.RTT, Stamps: res.Stamps, Sent: res.Sent,
		Kind: r.Kind, Type: r.Type, Code: r.Code, Trust: r.Trust, IfIndex: r.IfIndex,
		ReplyTTL: r.TTL, ReplyTOS: r.TOS, Back: wayBack(r.TTL, int(res.Probe.TTL)), MTU: r.MTU,
		Quote: r.Quote, Changes: changes(m, via, &res.Probe.Request, r),
		Extensions: extensions(r.Ext), source: r.To,
	}
	p.Quote.Payload = nil
	return p
}

// extensions reads what can be read: an answer is none the worse for a broken
// extension.
func extensions(b []byte) []icmp.Extension {
	if len(b) == 0 {
		return nil
	}
	list, _ := icmpx.ParseExtensions(b)
	return list
}
