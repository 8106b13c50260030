package render

import (
	"github.com/icmpx/icmpx/internal/packet"
)

// A HexScope says which bytes of a packet the hex view shows.
type HexScope uint8

// The scopes.
const (
	HexNone   HexScope = iota
	HexPacket          // from the first IP header on, as tcpdump -X
	HexFrame           // the whole frame, as tcpdump -XX
)

// AppendHex appends the bytes of a packet, 16 a line, in hex and as ASCII. In
// the frame that completes a message the rebuilt message follows.
func AppendHex(b []byte, p *packet.Packet, scope HexScope) []byte {
	data := p.Frame.Data
	if scope == HexPacket && p.Depth > 0 {
		data = data[p.Start:]
	}
	b = appendHexLines(b, data)
	if len(p.Fragments) > 0 && len(p.Message) > 0 {
		b = append(b, "\treassembled:\n"...)
		b = appendHexLines(b, p.Message)
	}
	return b
}

// appendHexLines appends "\t0x0000:  4500 0054 ...  E..T" for each 16 bytes.
func appendHexLines(b, data []byte) []byte {
	const columns = len("4500 ") * 8
	for off := 0; off < len(data); off += 16 {
		row := data[off:min(off+16, len(data))]
		b = append(b, "\t0x"...)
		for shift := 12; shift >= 0; shift -= 4 {
			if shift == 12 && off > 0xffff {
				b = append(b, hexDigits[off>>16&15]) // the longest packet of a capture has 18 bits
			}
			b = append(b, hexDigits[off>>shift&15])
		}
		b = append(b, ':', ' ')
		from := len(b)
		for i, c := range row {
			if i%2 == 0 {
				b = append(b, ' ')
			}
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		for len(b) < from+columns {
			b = append(b, ' ')
		}
		b = append(b, ' ', ' ')
		for _, c := range row {
			if c <= 0x20 || c > 0x7e {
				c = '.'
			}
			b = append(b, c)
		}
		b = append(b, '\n')
	}
	return b
}
