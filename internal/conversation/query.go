package conversation

import (
	"encoding/binary"

	"github.com/icmpx/icmpx/icmpx"
)

// A Query is a kind of question that ICMP has an answer to.
type Query uint8

// The queries.
const (
	NoQuery     Query = iota
	Echo              // RFC 792, RFC 4443
	Timestamp         // RFC 792
	Information       // RFC 792
	Mask              // RFC 950
	ExtEcho           // RFC 8335
)

var queryNames = [...]string{"", "echo", "timestamp", "information", "mask", "ext_echo"}

// String returns the word for q that JSON output uses; "" for NoQuery.
func (q Query) String() string {
	if int(q) < len(queryNames) {
		return queryNames[q]
	}
	return ""
}

// A role is what a message is in a conversation.
type role uint8

const (
	bystander role = iota
	request
	reply
	failure // an error that quotes what it is about
	notice  // one that decides nothing: redirect, source quench (RFC 792)
)

// roleOf returns what a message of a type is, and of which query.
func roleOf(f icmpx.Family, typ uint8) (role, Query) {
	if f == icmpx.IPv6 {
		switch typ {
		case 1, 2, 3, 4:
			return failure, NoQuery
		case 128:
			return request, Echo
		case 129:
			return reply, Echo
		case 160:
			return request, ExtEcho
		case 161:
			return reply, ExtEcho
		}
		return bystander, NoQuery
	}
	switch typ {
	case 3, 11, 12:
		return failure, NoQuery
	case 4, 5:
		return notice, NoQuery
	case 8:
		return request, Echo
	case 0:
		return reply, Echo
	case 13:
		return request, Timestamp
	case 14:
		return reply, Timestamp
	case 15:
		return request, Information
	case 16:
		return reply, Information
	case 17:
		return request, Mask
	case 18:
		return reply, Mask
	case 42:
		return request, ExtEcho
	case 43:
		return reply, ExtEcho
	}
	return bystander, NoQuery
}

// protocolOf returns the protocol number of a family's ICMP.
func protocolOf(f icmpx.Family) uint8 {
	if f == icmpx.IPv6 {
		return 58
	}
	return 1
}

// headerLen is how many bytes of a message hold identifier and sequence number.
const headerLen = 8

// numbers returns identifier and sequence number of a query or its answer. The
// sequence number of an extended echo is one byte (RFC 8335 section 2).
func numbers(q Query, msg []byte) (id, seq uint16) {
	id = binary.BigEndian.Uint16(msg[4:])
	if q == ExtEcho {
		return id, uint16(msg[6])
	}
	return id, binary.BigEndian.Uint16(msg[6:])
}
