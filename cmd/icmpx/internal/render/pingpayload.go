package render

import (
	"strconv"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/damage"
	"github.com/icmpx/icmpx/probe"
)

// An Account is all that a run to one host says at its end.
type Account struct {
	probe.Stats
	Payload *Payload // of a run with a payload of the user's
	Damage  damage.Map
}

// A Payload says what became of a payload of the user's.
type Payload struct {
	File            string // as the user gave it; "-": standard input
	Bytes, Returned int64
	Sum             probe.Digest
	SumReturned     *probe.Digest // nil: nothing came back
	Identical       bool

	Chunk, Chunks, Done, Resent int // of one that travels in chunks: bytes of each, how many there are, made the trip, and were sent again
}

// appendPayload appends what became of the payload: one line, and the sums.
func appendPayload(b []byte, p *Payload) []byte {
	b = append(AppendSafe(append(b, "payload "...), p.File), ": "...)
	b = append(strconv.AppendInt(b, p.Bytes, 10), " bytes, "...)
	b = append(strconv.AppendInt(b, p.Returned, 10), " returned, "...)
	if !p.Identical {
		b = append(b, "not "...)
	}
	b = append(b, "identical\n"...)
	if p.Chunk > 0 {
		b = strconv.AppendInt(append(b, "chunks: "...), int64(p.Done), 10)
		b = strconv.AppendInt(append(b, " of "...), int64(p.Chunks), 10)
		b = strconv.AppendInt(append(b, " made the trip, "...), int64(p.Chunk), 10)
		b = strconv.AppendInt(append(b, " bytes each, "...), int64(p.Resent), 10)
		b = append(b, " sent again\n"...)
	}
	b = append(appendHex(append(b, "sha256 sent     "...), p.Sum[:]), '\n')
	if p.SumReturned != nil {
		b = append(appendHex(append(b, "sha256 returned "...), p.SumReturned[:]), '\n')
	}
	return b
}

func appendHex(b, bytes []byte) []byte {
	for _, c := range bytes {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// payload adds what became of the payload.
func (o *object) payload(p *Payload) {
	o.key("payload")
	v := begin(o.b)
	v.str("file", p.File)
	v.int("bytes", p.Bytes)
	v.int("bytes_returned", p.Returned)
	v.hex("sha256", p.Sum[:])
	if p.SumReturned == nil {
		v.null("sha256_returned")
	} else {
		v.hex("sha256_returned", p.SumReturned[:])
	}
	v.bool("identical", p.Identical)
	if p.Chunk > 0 {
		v.int("chunk_bytes", int64(p.Chunk))
		v.int("chunks", int64(p.Chunks))
		v.int("chunks_returned", int64(p.Done))
		v.int("chunks_resent", int64(p.Resent))
	}
	o.b = v.end()
}

func (o *object) hex(k string, bytes []byte) {
	o.key(k)
	o.b = append(appendHex(append(o.b, '"'), bytes), '"')
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.b = strconv.AppendBool(o.b, v)
}

// AppendProgress appends how far a file has come, for one line of a terminal.
func AppendProgress(b []byte, done, of int64, elapsed time.Duration) []byte {
	percent := int64(0)
	if of > 0 {
		percent = 100 * done / of
	}
	b = strconv.AppendInt(b, percent, 10)
	b = strconv.AppendInt(append(b, "%, "...), done, 10)
	b = strconv.AppendInt(append(b, " of "...), of, 10)
	b = append(b, " bytes"...)
	if ms := elapsed.Milliseconds(); ms > 0 {
		b = strconv.AppendInt(append(b, ", "...), done/ms, 10)
		b = append(b, " kB/s"...)
	}
	return b
}
