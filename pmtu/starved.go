package pmtu

import "slices"

// starved returns in how many bursts the end of a track has stopped to answer: the
// last of what is known to pass was not. That is how a limit on answers looks.
// Linux sends six ICMP errors to a host at once and then one a second, too big
// messages and echo replies aside (icmp_ratelimit of icmp(7)); what answers
// datagrams, and what says that a TTL was used up, are such errors. Its
// consequences:
//  1. The track is asked again after a pause, which grows up to that second.
//  2. What is to be proven silent goes first and takes no answer, and one control
//     goes last, see trial. Of several sizes the largest goes first: if there is
//     but one answer left, it tells which is the largest that passes.
//  3. After maxStarved such bursts the question is left open.
//
// Where packets get lost, one or two missing answers say nothing.
func (r *run) starved(t track) int {
	pass, least := r.passing(t), 1
	if r.lossy() {
		least = 3
	}
	bursts, round, missing, ended := 0, 0, 0, false
	for i := len(r.log) - 1; i >= r.since; i-- {
		a := &r.log[i]
		if a.track != t || a.size > pass || a.state != heard && a.state != overdue {
			continue
		}
		if a.round != round {
			round, missing, ended = a.round, 0, false
		}
		ended = ended || a.state == heard
		if !ended {
			if missing++; missing == least {
				bursts++
			}
		}
	}
	return bursts
}

// passing returns a size that is known to get to the end of a track; 0 if none
// is. The end of another flow is that of the first, and answered there.
func (r *run) passing(t track) int {
	switch lo := r.table(t).lo; {
	case lo == 0 && t.path != 0:
		return r.small()
	case lo == 0 || t.ttl == 0:
		return lo
	default:
		return max(lo, r.table(t.at(0)).lo)
	}
}

// limited reports whether what answers on a track is an ICMP error.
func (t track) limited() bool { return t.method == UDP || t.ttl != 0 }

const (
	maxStarved  = 8 // bursts on a track that is starved
	maxDoubts   = 2 // of them where the answer is not vital
	maxPatience = 2 // how often what nothing answered is asked once more, see worthPatience
	afterPause  = 4 // how often that counts as asked before, for its pause
)

// worthPatience reports whether hops and methods that have answered nothing are
// worth another question, after a pause: without an answer it cannot be told on
// which way, or where, large packets vanish, and earlier searches may have used up
// what limits had left.
func (r *run) worthPatience() bool {
	if r.patient >= maxPatience {
		return false
	}
	for i := range r.log {
		if r.log[i].state == open {
			return false
		}
	}
	o := r.outlook()
	return o.doubtful || r.patient == 0 && slices.ContainsFunc(o.places, func(p place) bool {
		return p.class.silent && p.after == 0 && p.before != 1
	})
}
