package fingerprint

import (
	"hash/maphash"
	"net/netip"

	"github.com/icmpx/icmpx/icmpx"
)

// A query is what a probe asks.
type query uint8

const (
	echo query = iota
	timestamp
	mask
	datagram // UDP, as ICMP errors quote it
)

// String returns the word for q that JSON output uses.
func (q query) String() string { return [...]string{"echo", "timestamp", "mask", "udp"}[q] }

// A flowKey says which conversation a probe is of.
type flowKey struct {
	src, dst netip.Addr
	query    query
	id       uint16 // of UDP 0: probes may differ in both ports
}

// A sight is one probe, or what came back of one.
type sight struct {
	via      via
	frame    int
	at       int64 // Unix time in nanoseconds; noTime
	seq      uint16
	port     uint16 // destination port of UDP
	ttl      uint8
	tos      uint8
	code     uint8
	df       bool
	fragment bool
	ipid     uint32
	data     []byte
	size     int
}

// noTime is the time of a frame without one.
const noTime = -1 << 63

// via is how a probe came to be known, the better the greater.
type via uint8

const (
	quoted   via = iota + 1 // an error quotes it
	returned                // its reply carries its numbers and data
	itself
)

// habits is what the probes of a conversation have in common.
type habits struct {
	family icmpx.Family
	via    via // the best by which its probes were seen; those of others do not count
	n      uint64
	frame  int // of the first
	shapes uint64
	clock  int64 // time in the first payload, in seconds; 0: none
	at     int64 // when that was captured
	sum    uint64
	same   bool // all payloads are equal
	read   bool // there was one of which enough was captured

	minSize, maxSize int
	first, last      uint16 // sequence number, or destination port
	byOne            uint64 // steps up by 1
	by256            uint64 // steps up by 0x0100
	stays            uint64 // no step
	minTTL, maxTTL   uint8
	lastTTL          uint8
	rises            uint64 // the TTL grew by 1
	tos, code        uint8  // of the first
	df, noDF         uint64
	fragmented       bool
	ipid, lastIPID   uint32
	ipidStays        uint64
	ipidByOne        uint64
}

// add takes another probe.
func (h *habits) add(q query, s *sight, seed maphash.Seed) {
	if s.via < h.via {
		return
	}
	if s.via > h.via {
		*h = habits{family: h.family, via: s.via}
	}
	set := shapesOf(q, s.data, s.size)
	sum := maphash.Bytes(seed, s.data)
	v := s.seq
	if q == datagram {
		v = s.port
	}
	if h.n == 0 {
		h.begin(s, set, sum, v)
	} else {
		h.follow(s, set, sum, v)
	}
	h.n++
	h.read = h.read || legible(s.data, s.size)
	h.last, h.lastTTL, h.lastIPID = v, s.ttl, s.ipid
	if s.fragment {
		h.fragmented = true
	} else if s.df {
		h.df++
	} else {
		h.noDF++
	}
}

func (h *habits) begin(s *sight, set, sum uint64, v uint16) {
	h.frame, h.shapes, h.sum, h.same = s.frame, set, sum, true
	h.clock, h.at = clockOf(set, s.data), s.at
	h.minSize, h.maxSize = s.size, s.size
	h.first, h.minTTL, h.maxTTL, h.tos, h.code, h.ipid = v, s.ttl, s.ttl, s.tos, s.code, s.ipid
}

func (h *habits) follow(s *sight, set, sum uint64, v uint16) {
	h.shapes &= set | firstOnly
	h.same = h.same && sum == h.sum
	h.minSize, h.maxSize = min(h.minSize, s.size), max(h.maxSize, s.size)
	switch v - h.last {
	case 0:
		h.stays++
	case 1:
		h.byOne++
	case 0x100:
		h.by256++
	}
	h.minTTL, h.maxTTL = min(h.minTTL, s.ttl), max(h.maxTTL, s.ttl)
	if s.ttl == h.lastTTL+1 {
		h.rises++
	}
	switch s.ipid - h.lastIPID {
	case 0:
		h.ipidStays++
	case 1:
		h.ipidByOne++
	}
}

// initialTTL returns the TTL that a packet probably started with.
func initialTTL(ttl uint8) int {
	switch {
	case ttl <= 64:
		return 64
	case ttl <= 128:
		return 128
	}
	return 255
}
