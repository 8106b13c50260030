package render

import (
	"strconv"
	"strings"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe"
)

// AppendSummary appends the statistics of a run: iputils' block, then a line if
// something was unusual, then what Verbose adds.
func (t *Text) AppendSummary(b []byte, h *Host, s *Account) []byte {
	start := len(b)
	b = append(b, "\n--- "...)
	b = append(AppendSafe(b, h.Name), " ping statistics ---\n"...)
	b = appendCounts(b, &s.Stats)
	b = t.appendRTT(b, &s.Stats)
	b = t.appendUnusual(b, &s.Stats)
	if s.Damage.Replies() > 0 {
		b = append(s.Damage.AppendWords(b, h.HeaderBytes()), '\n')
	}
	if s.Payload != nil {
		b = appendPayload(b, s.Payload)
	}
	if t.Verbose {
		b = appendMore(b, h, &s.Stats)
	}
	if t.Prefix {
		return t.prefixLines(b, start, h)
	}
	return b
}

// prefixLines leads each line from start on by its host, and takes empty lines
// out.
func (t *Text) prefixLines(b []byte, start int, h *Host) []byte {
	block := string(b[start:])
	b = b[:start]
	for line := range strings.Lines(block) {
		if line != "\n" {
			b = append(t.prefix(b, h), line...)
		}
	}
	return b
}

func appendCounts(b []byte, s *probe.Stats) []byte {
	b = strconv.AppendInt(b, int64(s.Sent), 10)
	b = strconv.AppendInt(append(b, " packets transmitted, "...), int64(s.Received), 10)
	b = append(b, " received"...)
	b = appendPlus(b, s.Duplicates, " duplicates")
	b = appendPlus(b, s.Corrupted, " corrupted")
	b = appendPlus(b, s.Errors, " errors")
	if s.Sent > 0 {
		b = strconv.AppendFloat(append(b, ", "...), s.LossPercent(), 'g', 6, 64)
		b = append(b, "% packet loss, time "...)
		b = append(strconv.AppendInt(b, s.Duration.Round(time.Millisecond).Milliseconds(), 10), "ms"...)
	}
	return append(b, '\n')
}

func appendPlus(b []byte, n int, what string) []byte {
	if n == 0 {
		return b
	}
	return append(strconv.AppendInt(append(b, ", +"...), int64(n), 10), what...)
}

// appendRTT appends the line of round-trip times, which is empty when there is
// nothing to say, as iputils' is.
func (t *Text) appendRTT(b []byte, s *probe.Stats) []byte {
	r, comma := &s.RTT, ""
	if r.N > 0 {
		b = append(b, "rtt min/avg/max/mdev = "...)
		b = append(appendList(b, r.Min, r.Avg, r.Max, r.Mdev), " ms"...)
		comma = ", "
	}
	if s.Pipe > 1 && s.Received+s.Corrupted+s.Errors > 0 { // iputils learns of it by answers
		b = strconv.AppendInt(append(append(b, comma...), "pipe "...), int64(s.Pipe), 10)
		comma = ", "
	}
	if t.Gap && r.N > 0 && s.Sent > 1 {
		b = append(append(b, comma...), "ipg/ewma "...)
		b = append(appendList(b, s.Duration/time.Duration(s.Sent-1), r.EWMA), " ms"...)
	}
	return append(b, '\n')
}

// appendUnusual appends one line that names every count that is not in the
// block above and not nought.
func (t *Text) appendUnusual(b []byte, s *probe.Stats) []byte {
	start := len(b)
	add := func(n int, what string) {
		if n == 0 {
			return
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = append(strconv.AppendInt(b, int64(n), 10), what...)
	}
	add(s.InFlight, " in flight")
	add(s.Local, " not sent")
	add(s.Late, " late")
	add(s.Forged, " forged")
	add(s.Stale, " stale")
	add(s.OwnDrops, " dropped by this host")
	if t.Verbose {
		add(s.Strays, " strays")
	}
	if len(b) > start {
		b = append(b, '\n')
	}
	return b
}

// appendMore appends what Verbose adds.
func appendMore(b []byte, h *Host, s *probe.Stats) []byte {
	if r := &s.RTT; r.N > 0 {
		b = append(b, "rtt p50/p90/p95/p99 = "...)
		b = append(appendList(b, r.P50, r.P90, r.P95, r.P99), " ms"...)
		if r.N > 1 {
			b = append(appendList(append(b, ", jitter "...), r.Jitter), " ms"...)
		}
		b = append(append(b, ", stamps: "...), s.Stamps.String()...)
		b = append(b, '\n')
	}
	if s.LongestLoss > 0 {
		b = strconv.AppendInt(append(b, "longest run without a reply: "...), int64(s.LongestLoss), 10)
		b = append(b, '\n')
	}
	b = append(append(b, "socket: "...), h.Socket.String()...)
	return append(b, '\n')
}

// AppendStatus appends the one line that SIGQUIT asks for.
func (t *Text) AppendStatus(b []byte, h *Host, s *probe.Stats) []byte {
	b = t.prefix(append(b, '\r'), h)
	b = strconv.AppendInt(b, int64(s.Sent), 10)
	b = strconv.AppendInt(append(b, '/'), int64(s.Received), 10)
	loss := 0
	if s.Sent > 0 {
		loss = 100 * (s.Sent - s.Received) / s.Sent
	}
	b = strconv.AppendInt(append(b, " packets, "...), int64(loss), 10)
	b = append(b, "% loss"...)
	if r := &s.RTT; r.N > 0 {
		b = append(b, ", min/avg/ewma/max = "...)
		b = append(appendList(b, r.Min, r.Avg, r.EWMA, r.Max), " ms"...)
	}
	return append(b, '\n')
}

// appendList appends durations in milliseconds with three decimals and "/"
// between them.
func appendList(b []byte, ds ...time.Duration) []byte {
	for i, d := range ds {
		if i > 0 {
			b = append(b, '/')
		}
		us := d.Round(time.Microsecond).Microseconds()
		b = append(strconv.AppendInt(b, us/1000, 10), '.')
		b = appendFraction(b, us%1000, 3)
	}
	return b
}

// appendMillis appends a round-trip time as iputils does: three decimals, fewer
// from one millisecond on, none from a hundred on.
func appendMillis(b []byte, d time.Duration) []byte {
	us := max(d, 0).Round(time.Microsecond).Microseconds()
	decimals, unit := 3, int64(1)
	switch {
	case us >= 100_000-50:
		decimals, unit = 0, 1000
	case us >= 10_000-5:
		decimals, unit = 1, 100
	case us >= 1000:
		decimals, unit = 2, 10
	}
	us += unit / 2
	b = strconv.AppendInt(b, us/1000, 10)
	if decimals > 0 {
		b = appendFraction(append(b, '.'), us%1000/unit, decimals)
	}
	return append(b, " ms"...)
}

// appendFraction appends v with as many digits as asked for.
func appendFraction(b []byte, v int64, digits int) []byte {
	for unit := pow10(digits - 1); unit > 0; unit /= 10 {
		b = append(b, byte('0'+v/unit%10))
	}
	return b
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// socketWord is the word for a socket in JSON.
func socketWord(m icmpx.Mode) string {
	if m == icmpx.ModeDatagram {
		return "datagram"
	}
	return "raw"
}
