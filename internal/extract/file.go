package extract

import (
	"crypto/sha256"
	"net/netip"
)

// A File is what was rebuilt of a conversation, or of a transfer in it.
type File struct {
	Path     string // of the file: directory and name
	Src, Dst netip.Addr
	ID       uint16
	Request  bool // carried by echo requests; else by replies

	// Part is 0 for a whole conversation, else the number of the transfer in it,
	// from 1.
	Part     int
	Parts    int // of a whole conversation: how many of its transfers have a file of their own
	Payloads int64
	Bytes    int64
	SHA256   [sha256.Size]byte
	Type     string // media type by the content, such as "image/jpeg"; see Recognise

	FirstSeq, LastSeq uint16
	LittleEndian      bool // the sequence numbers are counted in little-endian byte order

	// Gaps are the sequence numbers that are missing between the first and the
	// last, at most MaxListed of them. The file holds what is there. A sender
	// that numbers its requests to several hosts in one row leaves gaps without
	// a loss.
	Gaps    []Gap
	Missing int64 // sequence numbers in all gaps

	// The following are of whole conversations alone.
	FirstFrame, LastFrame int
	Repeats               int // payloads that came again under their number
	// Conflicts are the packets, at most MaxListed of them, with another payload
	// under a number that had one already. The file holds the first.
	Conflicts    []Conflict
	Conflicted   int // all such packets
	BadChecksums int // packets with a wrong ICMP checksum; their payloads are used
	CutShort     int // packets that were not captured whole; what there is is used
	Dropped      int // payloads that there was no room for (Options.Bytes)
}

// MaxListed is how many gaps or conflicts a File lists.
const MaxListed = 64

// A Gap is a run of sequence numbers that are missing.
type Gap struct {
	AfterSeq uint16 // the number before, as the packet has it
	Missing  int64  // how many follow that are missing
}

// A Conflict is a packet whose payload differs from that of an earlier packet
// with the same sequence number.
type Conflict struct {
	Seq   uint16
	Frame int
}

func (f *File) conflict(seq uint16, frame int) {
	f.Conflicted++
	if len(f.Conflicts) < MaxListed {
		f.Conflicts = append(f.Conflicts, Conflict{seq, frame})
	}
}

// count fills in what the extents of a file say.
func (f *File) count(x index, s *sequence) {
	f.Payloads, f.Bytes, f.Gaps, f.Missing = 0, 0, nil, 0
	f.FirstSeq, f.LastSeq = s.seq(x[0].first), s.seq(x[len(x)-1].end()-1)
	f.LittleEndian = s.swapped
	for i := range x {
		f.Payloads += int64(x[i].count)
		f.Bytes += x[i].bytes()
		if i == 0 || x[i].first == x[i-1].end() {
			continue
		}
		gap := Gap{s.seq(x[i-1].end() - 1), x[i].first - x[i-1].end()}
		f.Missing += gap.Missing
		if len(f.Gaps) < MaxListed {
			f.Gaps = append(f.Gaps, gap)
		}
	}
}
