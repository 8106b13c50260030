package icmpx

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// An ear is a socket that is listened to. Its receive queue has answers, its
// error queue transmit stamps and, on ordinary sockets, ICMP errors.
type ear struct {
	fd   int
	path int // of which it holds the source port
	data *inbox
	errs *inbox // nil: not wanted
	from *transmitter

	hear  func(e *ear, a *arrival, r *Reply) bool // makes a reply of a packet; false: it is none
	told  func(e *ear, a *arrival, r *Reply) bool // of an entry of the error queue
	drops uint32                                  // packets that it has dropped for want of buffer
}

// ears are all sockets that a link listens to. They keep the order that
// receiver describes: a transmit stamp is handed out no later than its answer,
// wherever the two arrive.
type ears struct {
	link *portLink
	list []*ear
	held int     // reads of the error queues since data was read
	free bool    // data may be handed out: the error queues were seen empty since
	arr  arrival // in work
}

// add listens to fd.
func (es *ears) add(e *ear) error {
	if e.data == nil {
		e.data = newInbox(es.link.family, 1, 1, 0) // never read
	}
	es.list = append(es.list, e)
	return es.link.poll.add(e.fd, len(es.list)-1, unix.EPOLLIN)
}

// read reads the receive queues that have something, and all error queues.
func (es *ears) read() bool {
	some := false
	for _, ev := range es.link.poll.ready() {
		e := es.list[ev.Fd]
		if ev.Events&unix.EPOLLIN != 0 && e.hear != nil && e.data.empty() {
			e.data.recv(uintptr(e.fd))
			es.held = 0
		}
	}
	es.held++
	es.free = true
	for _, e := range slices.Backward(es.list) { // those that send come before those that hear
		some = some || !e.data.empty()
		if e.errs == nil || !e.from.used.Load() {
			continue
		}
		e.from.dequeue.Lock()
		e.errs.recv(uintptr(e.fd))
		e.from.dequeue.Unlock()
		some = some || !e.errs.empty()
		es.free = es.free && (e.errs.drained() || es.held > maxHeld)
	}
	return some
}

// deliver hands out what there is, in order, and leaves the rest for the next
// call. It may come to nothing: not all that is received is a reply.
func (es *ears) deliver(rs []Reply) int {
	n := 0
	for _, e := range es.list {
		for n < len(rs) && e.errs != nil && !e.errs.empty() {
			e.errs.pop(&es.arr)
			if e.told(e, &es.arr, &rs[n]) {
				n++
			}
		}
	}
	for _, e := range es.list {
		for n < len(rs) && es.free && !e.data.empty() {
			e.data.pop(&es.arr)
			if e.hear(e, &es.arr, &rs[n]) {
				es.count(e, &rs[n])
				n++
			}
		}
	}
	return n
}

// count tells of the drops of all ears.
func (es *ears) count(e *ear, r *Reply) {
	if es.arr.drops != 0 {
		e.drops = es.arr.drops
	}
	for _, e := range es.list {
		r.Drops += e.drops
	}
}

// tellSent makes a reply of the transmit stamp of a probe.
func (l *portLink) tellSent(e *ear, a *arrival, r *Reply) bool {
	if !a.hasErr || a.err.Origin != unix.SO_EE_ORIGIN_TIMESTAMPING || a.err.Info != unix.SCM_TSTAMP_SND || a.stamp.IsZero() {
		return false
	}
	*r = Reply{Kind: KindSent}
	var ok bool
	if l.byID {
		var scope uint32
		r.Key, r.Dst, scope, ok = l.stamps.take(a.err.Data)
		r.Dst = l.zones.with(l.names, r.Dst, scope)
	} else {
		r.Key, r.Dst, ok = l.findSent(a.data)
	}
	l.describe(r, a, e.errs.read)
	return ok
}

// findSent finds a probe of ours in b, a packet as it was handed to the device:
// behind a link header of unknown length. What would pass for it by chance is
// ruled out as findSent for ICMP does it.
func (l *portLink) findSent(b []byte) (key Key, dst netip.Addr, ok bool) {
	for off := 0; off <= min(maxLinkHeader, len(b)-l.family.HeaderLen()); off++ {
		if b[off]>>4 != byte(l.family) {
			continue
		}
		var q Quote
		if q.parse(b[off:], l.family) != nil || !q.HasL4 || q.Proto != l.proto || l.family == IPv4 && !q.HeaderOK {
			continue
		}
		if key, ok = keyOf(l.scheme, &l.sent, l.ports, &q); ok {
			return key, l.goal(key, q.Dst), true
		}
	}
	return
}
