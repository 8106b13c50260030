package fingerprint

import (
	"strconv"

	"github.com/icmpx/icmpx/icmpx"
)

// A clue is a habit that tells programs apart.
type clue struct {
	kind clueKind
	n    uint16
	to   uint16 // end of a range
}

type clueKind uint8

const (
	hasSize   clueKind = iota // n bytes of data
	sizeUnder                 // less than n
	seqFrom                   // sequence numbers begin with n, and each is one more
	seqSwaps                  // sequence numbers count in little-endian order
	seqStays                  // all are n
	once                      // one probe of a conversation
	startTTL                  // the TTL starts with n
	rangeTTL                  // the TTL starts with n to to
	steadyTTL                 // the TTL is the same in all
	traces                    // the TTL rises from 1
	setsDF
	clearsDF
	ipidZero
	ipidIs
	ipidStays
	ipidCounts
	hasCode
	hasTOS
	idIs
	idTop     // the top bit of the identifier is set
	sameData  // all probes carry the same data
	clockNow  // the time in the payload is that of the capture
	portFrom  // destination ports count up from n, or begin somewhat later
	seqAtMost // the first sequence number is n or a little more
	hopSeq    // sequence number: TTL in the upper byte
)

// An outcome is what a clue says about a conversation.
type outcome int8

const (
	unknown outcome = iota // it cannot be told
	fits
	misses
)

func yes(b bool) outcome {
	if b {
		return fits
	}
	return misses
}

// test says whether a conversation has a habit.
func (c clue) test(k *flowKey, h *habits) outcome {
	switch c.kind {
	case hasSize:
		return yes(h.minSize == int(c.n) && h.maxSize == int(c.n))
	case sizeUnder:
		return yes(h.maxSize < int(c.n))
	case sameData:
		return h.several(h.same)
	case clockNow:
		return h.clockFits()
	case idIs:
		return yes(k.id == c.n)
	case idTop:
		return yes(k.id&0x8000 != 0)
	case once:
		return yes(h.n == 1)
	case seqFrom, seqSwaps, seqStays, seqAtMost, hopSeq, portFrom:
		return c.testSequence(h)
	}
	if h.via == returned {
		return unknown // the header is the answer's
	}
	return c.testHeader(h)
}

// several is what a clue says that takes more than one probe.
func (h *habits) several(b bool) outcome {
	if h.n < 2 {
		return unknown
	}
	return yes(b)
}

// clockFits compares the time in the payload with that of the capture. A wrong
// clock is no contradiction.
func (h *habits) clockFits() outcome {
	const day = 24 * 3600
	if h.clock == 0 || h.at == noTime {
		return unknown
	}
	if d := h.clock - h.at/1e9; d < -day || d > day {
		return unknown
	}
	return fits
}

func (c clue) testSequence(h *habits) outcome {
	switch c.kind {
	case seqFrom:
		switch {
		case h.n > 1 && h.byOne == 0, h.first < c.n:
			return misses
		case h.first == c.n:
			return fits
		}
		return unknown // the capture may have begun later
	case seqSwaps:
		if h.n == 1 {
			return unknown
		}
		return yes(h.by256 > 0 && h.byOne == 0)
	case seqStays:
		return yes(h.first == c.n && h.stays == h.n-1)
	case seqAtMost:
		return yes(h.first >= c.n && h.first < c.n+256)
	case portFrom:
		return yes(h.first >= c.n && h.first < c.n+256 && (h.n == 1 || h.byOne > 0))
	case hopSeq:
		if h.via != itself {
			return unknown
		}
		return yes(h.first>>8 == uint16(h.minTTL))
	}
	return unknown
}

func (c clue) testHeader(h *habits) outcome {
	switch c.kind {
	case startTTL, rangeTTL, steadyTTL, traces:
		if h.via == quoted {
			return unknown // each is quoted where its TTL ran out
		}
		return c.testTTL(h)
	case hasTOS:
		return yes(h.tos == uint8(c.n))
	case hasCode:
		return yes(h.code == uint8(c.n))
	}
	if h.family != icmpx.IPv4 {
		return unknown
	}
	return c.testIPv4(h)
}

func (c clue) testTTL(h *habits) outcome {
	switch c.kind {
	case startTTL:
		return yes(initialTTL(h.maxTTL) == int(c.n))
	case rangeTTL:
		if h.maxTTL < uint8(c.n) {
			return unknown // routers lower it
		}
		return yes(uint16(h.maxTTL) <= c.to)
	case steadyTTL:
		return h.several(h.minTTL == h.maxTTL)
	case traces:
		if h.n == 1 {
			return yes(h.maxTTL < 30)
		}
		return yes(h.rises > 0 && h.minTTL < 30 || h.maxTTL < 3)
	}
	return unknown
}

// testIPv4 tests what IPv6 does not have.
func (c clue) testIPv4(h *habits) outcome {
	switch c.kind {
	case setsDF, clearsDF:
		if h.fragmented || h.df == 0 && h.noDF == 0 {
			return unknown
		}
		return yes(c.kind == setsDF && h.noDF == 0 || c.kind == clearsDF && h.df == 0)
	case ipidZero:
		return yes(h.ipid == 0 && h.ipidStays == h.n-1)
	case ipidIs:
		return yes(h.ipid == uint32(c.n) && h.ipidStays == h.n-1)
	case ipidStays:
		return h.several(h.ipid != 0 && h.ipidStays == h.n-1)
	case ipidCounts:
		return h.several(h.ipidByOne > 0 && h.ipidByOne*2 >= h.n-1)
	}
	return unknown
}

// words says what a clue that fits is evidence of.
func (c clue) words(h *habits) string {
	n := strconv.Itoa(int(c.n))
	switch c.kind {
	case seqFrom:
		return "sequence numbers count from " + n
	case seqStays:
		return "the sequence number is " + n
	case seqAtMost:
		return "sequence numbers begin near " + n
	case startTTL:
		if int(h.maxTTL) == int(c.n) {
			return "TTL " + n
		}
		return "TTL " + strconv.Itoa(int(h.maxTTL)) + ", probably from " + n
	case rangeTTL:
		return "TTL " + strconv.Itoa(int(h.maxTTL)) + ", chosen at random"
	case ipidIs:
		return "IP identification " + n
	case hasCode:
		return "code " + n
	case hasTOS:
		return "type of service " + n
	case idIs:
		return "identifier " + n
	case portFrom:
		return "destination ports count up from about " + n
	}
	return clueWords[c.kind]
}

// clueWords are the words of clues without a number.
var clueWords = [...]string{
	seqSwaps:  "sequence numbers count in little-endian order",
	once:      "one request alone",
	steadyTTL: "the TTL stays",
	traces:    "the TTL rises from 1",
	setsDF:    "don't fragment is set",
	clearsDF:  "don't fragment is not set",
	ipidZero:  "IP identification 0",
	ipidStays: "one IP identification in all requests", ipidCounts: "IP identifications count up",
	idTop:    "the top bit of the identifier is set",
	sameData: "the same data in all requests",
	clockNow: "the time in it is that of the capture",
	hopSeq:   "the upper byte of the sequence number is the TTL",
}

// against says what of a conversation contradicts a clue.
func (c clue) against(h *habits) string {
	n := strconv.Itoa(int(c.n))
	switch c.kind {
	case hasSize:
		return "it sends " + n + " bytes by default"
	case seqFrom, seqStays, seqAtMost, portFrom:
		if h.first == c.n {
			return "its numbers count, these do not"
		}
		return "its numbers begin with " + n + ", these with " + strconv.Itoa(int(h.first))
	case startTTL, rangeTTL:
		return "its TTL is another, this is " + strconv.Itoa(int(h.maxTTL))
	case steadyTTL:
		return "the TTL changes"
	case traces:
		return "the TTL does not rise"
	case setsDF:
		return "don't fragment is not set"
	case clearsDF:
		return "don't fragment is set"
	}
	return "not so: " + c.words(h)
}
