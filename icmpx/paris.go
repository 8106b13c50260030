package icmpx

import (
	"encoding/binary"
	"sync/atomic"
)

// Routers choose among equal paths by the addresses and the first bytes of the
// transport header. Packets that shall take one path must have them all equal:
// of UDP and TCP the ports, of an echo type, code, identifier and checksum
// ("Paris traceroute", Augustin et al., 2006). What tells the packets apart
// must sit elsewhere, or be made up for: two bytes of payload, the filler, have
// whatever value gives the checksum the one that it shall have.

// fillerLen is the length of the filler. It stands on an even offset, so that
// it is one word of the checksum.
const fillerLen = 2

// fillerOffset returns where the filler of a payload of n bytes stands: behind
// the token, or at the end of a payload that is too short for both; -1 if there
// is no room for it.
func fillerOffset(n int) int {
	switch {
	case n >= tokenLen+fillerLen:
		return tokenLen
	case n >= fillerLen:
		return (n - fillerLen) &^ 1
	}
	return -1
}

// fillerFor returns the filler that makes a checksum come out as want, which
// must be neither 0 nor 0xffff: the two zeros of ones' complement cannot be
// told apart. natural is the checksum with a filler of 0.
func fillerFor(natural, want uint16) uint16 {
	return fold(uint64(^want) + uint64(natural))
}

// setFiller gives b, which is behind words that add up to sum, the checksum
// want by the filler at off.
func setFiller(b []byte, sum uint32, off int, want uint16) {
	binary.BigEndian.PutUint16(b[off:], 0)
	binary.BigEndian.PutUint16(b[off:], fillerFor(ChecksumFrom(sum, b), want))
}

// provenPayload returns of a payload, of which n bytes were sent, the part that
// the filler has left as the request says: what lies before it if it is in the
// token's place, else all.
func provenPayload(b []byte, n int) []byte {
	if off := fillerOffset(n); off >= 0 && off < tokenLen {
		return b[:min(off, len(b))]
	}
	return b
}

// constantChecksums is how many checksums echo requests of one identifier may
// be held to.
const constantChecksums = 1<<16 - 2

// echoChecksum returns the checksum, pseudo-header left out, of all echo
// requests with an identifier that take one path: neither 0 nor 0xffff, and
// another for each path.
func echoChecksum(id, path uint16) uint16 {
	return 1 + uint16((uint32(id)+uint32(path))%constantChecksums)
}

// An echoFiller holds the checksums of echo requests constant. A nil one does
// nothing. Payloads that have no room for token and filler it leaves alone.
type echoFiller struct {
	request uint8         // type of the requests
	covered atomic.Uint32 // the two bytes of payload that the filler of the last request covers
}

func newEchoFiller(f Family) *echoFiller {
	return &echoFiller{request: f.row().echoRequest}
}

// coveredByFiller returns what FillPayload writes where the filler is.
func coveredByFiller(pattern []byte) uint32 {
	var b [tokenLen + fillerLen]byte
	FillPayload(b[:], 0, pattern)
	return uint32(binary.BigEndian.Uint16(b[tokenLen:]))
}

// hold gives b, which is the message of r and complete, the checksum of its
// path. For ICMPv6 it leaves the checksum 0, for the kernel to add what the
// pseudo-header makes of it, which is the same for all packets of one length
// between two hosts.
func (e *echoFiller) hold(b []byte, r *Request) {
	if e == nil || fillerOffset(len(b)-headerLen) != tokenLen {
		return
	}
	e.covered.Store(coveredByFiller(r.Pattern))
	want := echoChecksum(binary.BigEndian.Uint16(b[4:]), r.Path)
	binary.BigEndian.PutUint16(b[2:], 0)
	setFiller(b, 0, headerLen+tokenLen, want)
	if e.request < 128 {
		binary.BigEndian.PutUint16(b[2:], want)
	}
}

// release puts into the echo reply msg what the filler has covered. If the
// checksum of the request would be that of no path the message is damaged, and
// left as it is.
func (e *echoFiller) release(msg []byte) {
	if e == nil || fillerOffset(len(msg)-headerLen) != tokenLen {
		return
	}
	id := uint32(binary.BigEndian.Uint16(msg[4:]))
	check := uint32(ChecksumFrom(uint32(e.request)<<8|uint32(msg[1]), msg[4:]))
	if path := (check + 2*constantChecksums - 1 - id) % constantChecksums; path < maxPaths {
		binary.BigEndian.PutUint16(msg[headerLen+tokenLen:], uint16(e.covered.Load()))
	}
}
