package render

import (
	"net/netip"
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/conversation"
)

// AppendPairing appends what was found out about a request or its answer, in a
// few words without the end of a line: "reply to frame 1 after 1.042 ms".
func AppendPairing(b []byte, e *conversation.Event) []byte {
	switch e.Kind {
	case conversation.Reply:
		b = appendFrame(append(b, "reply to frame "...), e.Request)
		b = appendAfter(b, e)
	case conversation.Error:
		b = appendErrorPairing(b, e)
	case conversation.Duplicate:
		b = appendFrame(append(b, "duplicate reply to frame "...), e.Request)
		b = appendFrame(append(b, ", the same as frame "...), e.Earlier)
	case conversation.Repeat:
		b = appendFrame(append(b, "same request as frame "...), e.Earlier)
	case conversation.Copy:
		b = appendFrame(append(b, "same packet as frame "...), e.Earlier)
	case conversation.Unanswered:
		b = appendUnanswered(b, e)
	case conversation.Unasked:
		b = append(b, "reply that nobody asked for"...)
	}
	return b
}

func appendFrame(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendAfter(b []byte, e *conversation.Event) []byte {
	if e.RTT >= 0 {
		b = appendTraceTime(append(b, " after "...), e.RTT)
	}
	if e.Late {
		b = append(b, ", late"...)
	}
	if e.Ambiguous {
		b = append(b, ", or to an earlier try"...)
	}
	return b
}

func appendErrorPairing(b []byte, e *conversation.Event) []byte {
	if e.Request != 0 {
		b = appendFrame(append(b, "about frame "...), e.Request)
		return appendAfter(b, e)
	}
	if e.Quote.Family == 0 {
		return append(b, "about nothing legible"...)
	}
	b = append(appendQuotedEnds(append(b, "about "...), &e.Quote), ", which is not in the capture"...)
	return b
}

// appendQuotedEnds appends what a quote is of: "UDP 192.0.2.1.40000 >
// 198.51.100.2.33434".
func appendQuotedEnds(b []byte, q *icmpx.Quote) []byte {
	switch {
	case q.Proto == 6:
		b = append(b, "TCP "...)
	case q.Proto == 17:
		b = append(b, "UDP "...)
	case int(q.Proto) == q.Family.Protocol() && q.HasL4:
		b = append(append(b, icmpx.Describe(q.Family, q.Type, q.Code)...), ' ')
	case int(q.Proto) == q.Family.Protocol():
		b = append(b, "ICMP "...)
	default:
		b = append(strconv.AppendInt(append(b, "protocol "...), int64(q.Proto), 10), ' ')
	}
	ported := q.HasL4 && int(q.Proto) != q.Family.Protocol()
	b = appendPorted(b, q.Src, q.SrcPort, ported)
	return appendPorted(append(b, " > "...), q.Dst, q.DstPort, ported)
}

// appendPorted appends an address, and its port as tcpdump does.
func appendPorted(b []byte, a netip.Addr, port uint16, ported bool) []byte {
	b = AppendAddr(b, a)
	if !ported {
		return b
	}
	return strconv.AppendUint(append(b, '.'), uint64(port), 10)
}

func appendUnanswered(b []byte, e *conversation.Event) []byte {
	b = appendFrame(append(b, "frame "...), e.Request)
	b = append(append(b, ", "...), queryWords[min(int(e.Query), len(queryWords)-1)]...)
	b = AppendAddr(append(b, " "...), e.Src)
	b = AppendAddr(append(b, " > "...), e.Dst)
	b = strconv.AppendUint(append(b, " id "...), uint64(e.ID), 10)
	b = strconv.AppendUint(append(b, " seq "...), uint64(e.Seq), 10)
	b = append(b, ": no answer"...)
	if e.Tries > 1 {
		b = append(strconv.AppendInt(append(b, " to "...), int64(e.Tries), 10), " tries"...)
	}
	if e.Ended {
		b = append(b, " before the capture ended"...)
	}
	return b
}

var queryWords = [...]string{
	conversation.NoQuery:     "request",
	conversation.Echo:        "echo request",
	conversation.Timestamp:   "timestamp request",
	conversation.Information: "information request",
	conversation.Mask:        "address mask request",
	conversation.ExtEcho:     "extended echo request",
}
