package render

import (
	"strconv"

	"github.com/icmpx/icmpx/internal/extract"
)

// AppendExtracted appends what was rebuilt of payloads: a line that names the
// file, its content, size and digest, and below it what is missing or odd.
func AppendExtracted(b []byte, f *extract.File) []byte {
	b = AppendSafe(b, f.Path)
	b = append(append(b, ": "...), f.Type...)
	b = appendMany(append(b, ", "...), uint64(f.Bytes), "byte")
	b = appendMany(append(b, " in "...), uint64(f.Payloads), "payload")
	b = append(b, ", sha256 "...)
	for _, c := range f.SHA256 {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	b = append(b, '\n')
	b = appendGaps(b, f)
	b = appendRemark(b, f.Repeats, "payload", "came again")
	b = appendConflicts(b, f)
	b = appendRemark(b, f.BadChecksums, "packet", "with a wrong checksum, used all the same")
	b = appendRemark(b, f.CutShort, "packet", "cut short in the capture")
	return appendRemark(b, f.Dropped, "payload", "left out for want of room")
}

// shownGaps is how many gaps or conflicts are named.
const shownGaps = 4

// appendGaps appends "  3 sequence numbers missing: 1 after seq 4, 2 after seq
// 9".
func appendGaps(b []byte, f *extract.File) []byte {
	if f.Missing == 0 {
		return b
	}
	b = appendMany(append(b, "  "...), uint64(f.Missing), "sequence number")
	b = append(b, " missing: "...)
	for i, g := range f.Gaps[:min(len(f.Gaps), shownGaps)] {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, g.Missing, 10)
		b = strconv.AppendUint(append(b, " after seq "...), uint64(g.AfterSeq), 10)
	}
	if len(f.Gaps) > shownGaps {
		b = append(b, ", ..."...)
	}
	return append(b, '\n')
}

func appendConflicts(b []byte, f *extract.File) []byte {
	if f.Conflicted == 0 {
		return b
	}
	b = appendMany(append(b, "  "...), uint64(f.Conflicted), "packet")
	b = append(b, " with another payload under the same sequence number, not used: frame "...)
	for i, c := range f.Conflicts[:min(len(f.Conflicts), shownGaps)] {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(c.Frame), 10)
	}
	if f.Conflicted > shownGaps {
		b = append(b, ", ..."...)
	}
	return append(b, '\n')
}

func appendRemark(b []byte, n int, word, what string) []byte {
	if n == 0 {
		return b
	}
	b = appendMany(append(b, "  "...), uint64(n), word)
	return append(append(append(b, ' '), what...), '\n')
}
