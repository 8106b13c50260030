package probe

// maxUndecided bounds how many probe numbers a lossRuns keeps open: more than
// an engine has in flight.
const maxUndecided = 1 << 17

// A lossRuns finds runs of consecutive probes without a reply. Fates come in
// any order; those that are ahead of an undecided probe are kept until it is
// decided. The zero lossRuns expects probe 1.
type lossRuns struct {
	settled uint64 // probes 1 to settled are decided and counted
	ahead   []outcome
	head    int // place in ahead of probe settled+1
	span    int // places in use from head on

	run, best, total int
}

// An outcome is what lossRuns keeps of a fate.
type outcome uint8

const (
	undecided outcome = iota
	replied
	unreplied
)

// add takes the fate of probe number, counted from 1. Only the first fate of a
// probe counts.
func (l *lossRuns) add(number uint64, answered bool) {
	if number <= l.settled {
		return
	}
	for number-l.settled > maxUndecided {
		l.settle(l.shift())
	}
	f := unreplied
	if answered {
		f = replied
	}
	l.keep(int(number-l.settled), f)
	for l.span > 0 && l.ahead[l.head] != undecided {
		l.settle(l.shift())
	}
}

// keep stores the fate of probe settled+offset.
func (l *lossRuns) keep(offset int, f outcome) {
	if offset > len(l.ahead) {
		l.grow(offset)
	}
	l.span = max(l.span, offset)
	if at := &l.ahead[(l.head+offset-1)%len(l.ahead)]; *at == undecided {
		*at = f
	}
}

func (l *lossRuns) grow(need int) {
	size := max(2*len(l.ahead), 64)
	for size < need {
		size *= 2
	}
	bigger := make([]outcome, size)
	n := copy(bigger, l.ahead[l.head:])
	copy(bigger[n:], l.ahead[:l.head])
	l.ahead, l.head = bigger, 0
}

// shift forgets the oldest place and returns what was there.
func (l *lossRuns) shift() outcome {
	l.settled++
	if l.span == 0 {
		return undecided
	}
	f := l.ahead[l.head]
	l.ahead[l.head] = undecided
	l.head = (l.head + 1) % len(l.ahead)
	l.span--
	return f
}

// settle counts the fate of the next probe. One that was never decided ends a
// run, as a reply does.
func (l *lossRuns) settle(f outcome) {
	if f != unreplied {
		l.run = 0
		return
	}
	if l.run == 0 {
		l.total++
	}
	l.run++
	l.best = max(l.best, l.run)
}

// end returns the account as if no further fate came.
func (l *lossRuns) end() lossRuns {
	c := *l
	for i := range c.span {
		c.settle(c.ahead[(c.head+i)%len(c.ahead)])
	}
	return c
}

// longest returns the length of the longest run of lost probes.
func (l *lossRuns) longest() int { c := l.end(); return c.best }

// runs returns how many runs of lost probes there are.
func (l *lossRuns) runs() int { c := l.end(); return c.total }
