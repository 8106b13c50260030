package probe

import "slices"

// A waitList wakes goroutines that wait for a state guarded by a mutex to
// change: a sync.Cond whose waiters can also wait for other things. The mutex
// is held in all its methods.
type waitList struct {
	waiting []chan struct{}
	spare   []chan struct{}
}

// enter adds the caller and returns the channel that wake sends to, once.
func (w *waitList) enter() chan struct{} {
	ch := make(chan struct{}, 1)
	if n := len(w.spare); n > 0 {
		ch, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	w.waiting = append(w.waiting, ch)
	return ch
}

// leave takes back a channel, woken or not.
func (w *waitList) leave(ch chan struct{}) {
	if i := slices.Index(w.waiting, ch); i >= 0 {
		w.waiting = slices.Delete(w.waiting, i, i+1)
	}
	select {
	case <-ch:
	default:
	}
	w.spare = append(w.spare, ch)
}

// wake wakes all who wait.
func (w *waitList) wake() {
	for _, ch := range w.waiting {
		ch <- struct{}{}
	}
	w.waiting = w.waiting[:0]
}
