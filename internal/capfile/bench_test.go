package capfile_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/icmpx/icmpx/internal/capfile"
	"github.com/icmpx/icmpx/internal/packet"
)

// pcapOf returns a pcap file of n frames of the given length.
func pcapOf(n, length int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint32(b, 4<<16|2)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 65535)
	b = le.AppendUint32(b, uint32(packet.LinkRaw))
	for i := range n {
		b = le.AppendUint32(b, uint32(1700000000+i/1000))
		b = le.AppendUint32(b, uint32(i%1000*1000))
		b = le.AppendUint32(b, uint32(length))
		b = le.AppendUint32(b, uint32(length))
		b = append(b, make([]byte, length)...)
	}
	return b
}

// pcapngOf returns the same frames as pcapng.
func pcapngOf(n, length int) []byte {
	var out bytes.Buffer
	w := capfile.NewWriter(&out, capfile.WriterOptions{Application: "test"})
	r, err := capfile.NewReader(bytes.NewReader(pcapOf(n, length)))
	if err != nil {
		panic(err)
	}
	var f packet.Frame
	for r.Next(&f) == nil {
		f.Direction = packet.Outgoing
		if err := w.Write(&f); err != nil {
			panic(err)
		}
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func BenchmarkReader(b *testing.B) {
	const frames = 20000
	for name, file := range map[string][]byte{"pcap": pcapOf(frames, 98), "pcapng": pcapngOf(frames, 98)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var f packet.Frame
			for n := 0; n < b.N; {
				r, err := capfile.NewReader(bytes.NewReader(file))
				if err != nil {
					b.Fatal(err)
				}
				for n < b.N {
					if err := r.Next(&f); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
		})
	}
}

func BenchmarkWriter(b *testing.B) {
	w := capfile.NewWriter(io.Discard, capfile.WriterOptions{})
	f := packet.Frame{Len: 98, Data: make([]byte, 98), Link: packet.LinkRaw, Direction: packet.Incoming}
	b.ReportAllocs()
	for range b.N {
		if err := w.Write(&f); err != nil {
			b.Fatal(err)
		}
	}
}
