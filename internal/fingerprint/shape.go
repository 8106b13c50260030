package fingerprint

import (
	"bytes"
	"encoding/binary"
)

// A shape is how the data behind the header of a probe look. The same data may
// have several.
type shape uint8

const (
	anything      shape = iota // one byte at least
	empty                      // none
	zeros                      // nothing but zero bytes
	countFrom00                // 00 01 02 ...
	countFrom08                // 08 09 0a ...
	countFrom40                // 40 41 42 ... 7f, over and over; as text @AB...
	countFrom48                // the same without its first 8 bytes: HIJ...
	time64Count10              // 16 bytes of time, then 10 11 12 ...
	time64Count00              // 16 bytes of time, then 00 01 02 ...
	time64Pattern              // 16 bytes of time, then a pattern that is repeated
	time32Count                // 8 bytes of time in little-endian order, then 08 09 0a ...
	netTimeCount               // 8 bytes of time in network order, then 08 09 0a ...
	tokenCount                 // 8 bytes that are no time, then 08 09 0a ...
	fillerCount                // 10 bytes, then 0a 0b 0c ...
	macCount                   // 24 bytes, then 18 19 1a ...
	micros                     // 4 bytes of which the upper two are not zero, then zeros
	twoBytes                   // 2 bytes, then zeros
	alphabet                   // abc...w, over and over
	letterX                    // X, over and over
	liboping                   // the text of liboping
	questionMark               // one ?
	jpegStart                  // the start of a JPEG file
	unseeded                   // the first numbers of glibc's random() without a seed
	nanosUUID                  // 8 bytes of time in ns, a random UUID, then 01 01 ...
	uptimeABCD                 // 4 zeros, 4 bytes, then ab cd ab cd ...
	letterC                    // C, over and over
	superman                   // SUPERMAN and a zero byte
	seqTTL                     // two small numbers, then zeros
	noTimes                    // of a timestamp request: all three times zero
	originate                  // of a timestamp request: the first time alone
	threeTimes                 // of a timestamp request: the same time three times
	zeroMask                   // of an address mask request: mask zero
	shapes                     // how many there are
)

// shapeWords say in words what each shape is.
var shapeWords = [shapes]string{
	anything: "some data", empty: "no data", zeros: "zero bytes alone",
	countFrom00: "00 01 02 ...", countFrom08: "08 09 0a ... from the first byte",
	countFrom40: "40 41 42 ... (@AB...)", countFrom48: "48 49 4a ... (HIJ...)",
	time64Count10: "16 bytes of time (64-bit, little-endian), then 10 11 12 ...",
	time64Count00: "16 bytes of time (64-bit, little-endian), then 00 01 02 ...",
	time64Pattern: "16 bytes of time (64-bit, little-endian), then a repeated pattern",
	time32Count:   "8 bytes of time (32-bit, little-endian), then 08 09 0a ...",
	netTimeCount:  "8 bytes of time (32-bit, network order), then 08 09 0a ...",
	tokenCount:    "8 bytes that are no time, then 08 09 0a ...",
	fillerCount:   "10 bytes, then 0a 0b 0c ...",
	macCount:      "24 bytes, then 18 19 1a ...",
	micros:        "4 bytes, as of a clock in microseconds, then zeros",
	twoBytes:      "2 bytes, then zeros", alphabet: "the letters a to w, over and over",
	letterX: "the letter X, over and over", letterC: "the letter C, over and over", liboping: "the name of liboping, in words",
	questionMark: "one byte, 3f", jpegStart: "the start of a JPEG file",
	unseeded:   "the first numbers of random() without a seed",
	nanosUUID:  "8 bytes of time in nanoseconds, a random UUID, then 01 01 ...",
	uptimeABCD: "4 zeros, 4 bytes, then ab cd ab cd ...", superman: "the word SUPERMAN",
	seqTTL: "two small numbers, then zeros", noTimes: "all three times are 0",
	originate: "the first time alone", threeTimes: "the same time three times", zeroMask: "mask 0",
}

// shapesOf returns a set of shapes: those that data of a probe have, of which
// size bytes were sent and the rest was not captured.
func shapesOf(q query, data []byte, size int) uint64 {
	switch q {
	case timestamp:
		return timeShapes(data)
	case mask:
		return bit(zeroMask, len(data) >= 4 && allZero(data[:4]))
	}
	if size == 0 {
		return 1 << empty
	}
	if !legible(data, size) {
		return ^uint64(0) // nothing can be told
	}
	return plainShapes(data, size) | timedShapes(data, size)
}

// legible reports whether enough of the data was captured to tell shapes.
func legible(data []byte, size int) bool { return len(data) >= min(size, 16) }

// firstOnly are shapes that the first payload of a conversation alone must have.
const firstOnly = 1<<unseeded | 1<<jpegStart

func bit(s shape, is bool) uint64 {
	if is {
		return 1 << s
	}
	return 0
}

func plainShapes(d []byte, size int) uint64 {
	set := uint64(1 << anything)
	switch d[0] {
	case 0:
		set |= bit(zeros, allZero(d)) | bit(countFrom00, counts(d, 0)) | bit(uptimeABCD, isUptimeABCD(d))
	case 8:
		set |= bit(countFrom08, counts(d, 8))
	case '@':
		set |= bit(countFrom40, countsRound(d, 0))
	case 'H':
		set |= bit(countFrom48, countsRound(d, 8))
	case 'a':
		set |= bit(alphabet, isAlphabet(d))
	case 'C':
		set |= bit(letterC, isOf(d, 'C'))
	case 'X':
		set |= bit(letterX, isOf(d, 'X'))
	case 'l':
		set |= bit(liboping, startsLike(d, "liboping -- ICMP ping library"))
	case '?':
		set |= bit(questionMark, size == 1)
	case 0xff:
		set |= bit(jpegStart, len(d) > 4 && startsLike(d, "\xff\xd8\xff"))
	case 0x67:
		set |= bit(unseeded, len(d) >= 4 && startsLike(d, "\x67\xc6\x69\x73\x51\xff\x4a\xec\x29\xcd\xba\xab\xf2\xfb\xe3\x46"))
	case 'S':
		set |= bit(superman, size == 9 && startsLike(d, "SUPERMAN\x00"))
	}
	if len(d) >= 8 {
		set |= bit(micros, d[2]|d[3] != 0 && allZero(d[4:]))
		set |= bit(twoBytes, d[0]|d[1] != 0 && allZero(d[2:]))
		set |= bit(seqTTL, d[0] != 0 && d[1] != 0 && d[1] < 64 && allZero(d[2:]))
	}
	return set
}

func timedShapes(d []byte, size int) uint64 {
	var set uint64
	if len(d) >= 16 && isTime64(d) {
		rest := d[16:]
		set |= bit(time64Count10, counts(rest, 0x10)) | bit(time64Count00, counts(rest, 0))
		set |= bit(time64Pattern, len(rest) > 0 && repeats(rest))
	}
	if len(d) >= 12 && counts(d[8:], 8) {
		host, net := isTime32(binary.LittleEndian, d), isTime32(binary.BigEndian, d)
		set |= bit(time32Count, host) | bit(netTimeCount, net) | bit(tokenCount, !host && !net)
	}
	if len(d) >= 16 && counts(d[10:], 10) {
		set |= bit(fillerCount, d[9] != 9)
	}
	if len(d) >= 28 && counts(d[24:], 0x18) {
		set |= bit(macCount, !counts(d[16:], 0x10) && !counts(d[8:], 8))
	}
	if len(d) >= 24 {
		set |= bit(nanosUUID, isNanos(d) && d[14]>>4 == 4 && d[16]>>6 == 2 && isOf(d[24:], 1))
	}
	return set
}

func timeShapes(d []byte) uint64 {
	if len(d) < 12 {
		return ^uint64(0)
	}
	a, b, c := d[0:4], d[4:8], d[8:12]
	rest := allZero(b) && allZero(c)
	return bit(noTimes, rest && allZero(a)) | bit(originate, rest && !allZero(a)) |
		bit(threeTimes, !allZero(a) && bytes.Equal(a, b) && bytes.Equal(b, c))
}

func allZero(d []byte) bool { return isOf(d, 0) }

func isOf(d []byte, c byte) bool {
	for _, x := range d {
		if x != c {
			return false
		}
	}
	return true
}

// counts reports whether each byte is one more than that before it.
func counts(d []byte, from byte) bool {
	for i, x := range d {
		if x != from+byte(i) {
			return false
		}
	}
	return true
}

// countsRound reports whether the bytes go from 40 to 7f, over and over, and
// begin skip bytes behind the first.
func countsRound(d []byte, skip int) bool {
	for i, x := range d {
		if x != 0x40+byte((i+skip)&0x3f) {
			return false
		}
	}
	return true
}

func isAlphabet(d []byte) bool {
	for i, x := range d {
		if x != 'a'+byte(i%23) {
			return false
		}
	}
	return len(d) > 1
}

func isUptimeABCD(d []byte) bool {
	if len(d) < 12 || !allZero(d[:4]) {
		return false
	}
	for i, x := range d[8:] {
		if x != [2]byte{0xab, 0xcd}[i%2] {
			return false
		}
	}
	return true
}

// startsLike reports whether data begin as a text does, as far as both go.
func startsLike(d []byte, text string) bool {
	n := min(len(d), len(text))
	return string(d[:n]) == text[:n]
}

// repeats reports whether data repeat a pattern of at most 16 bytes, as the
// option -p of pings takes it.
func repeats(d []byte) bool {
	for period := 1; period <= min(16, len(d)/2); period++ {
		if bytes.Equal(d[period:], d[:len(d)-period]) {
			return true
		}
	}
	return false
}

// Bounds of times that are taken for such: seconds since 1970.
const (
	earliest = 500_000_000   // 1985
	latest   = 4_200_000_000 // 2103
)

func isTime64(d []byte) bool {
	sec, usec := binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint64(d[8:])
	return sec >= earliest && sec <= latest && usec < 1_000_000
}

func isTime32(order binary.ByteOrder, d []byte) bool {
	sec, usec := order.Uint32(d), order.Uint32(d[4:])
	return sec >= earliest && sec <= latest && usec < 1_000_000
}

func isNanos(d []byte) bool {
	sec := binary.BigEndian.Uint64(d) / 1_000_000_000
	return sec >= earliest && sec <= latest
}

// clockOf returns the time that a payload of a shape holds, in seconds since
// 1970; 0 if it holds none.
func clockOf(set uint64, d []byte) int64 {
	switch {
	case len(d) < 8:
	case set&(1<<time64Count10|1<<time64Count00|1<<time64Pattern) != 0:
		return int64(binary.LittleEndian.Uint64(d))
	case set&(1<<time32Count) != 0:
		return int64(binary.LittleEndian.Uint32(d))
	case set&(1<<netTimeCount) != 0:
		return int64(binary.BigEndian.Uint32(d))
	case set&(1<<nanosUUID) != 0:
		return int64(binary.BigEndian.Uint64(d) / 1_000_000_000)
	}
	return 0
}
