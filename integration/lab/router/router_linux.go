package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Router forwards packets between its ports until it is closed, its context
// ends, or the devices are gone.
type Router struct {
	mu     sync.Mutex // of what follows
	engine *engine
	socks  []*socket // closed by run
	closed bool

	start  time.Time
	wakeup wakeup
	stop   func() bool // forgets the context
	done   chan struct{}
	err    error // of run, once it is done
}

// Start starts a router on at least two ports. The first two are the ends of
// the chain.
func Start(ctx context.Context, cfg Config, ports ...Port) (*Router, error) {
	e, err := newEngine(cfg, ports)
	if err != nil {
		return nil, err
	}
	r := &Router{engine: e, start: time.Now(), done: make(chan struct{})}
	if r.wakeup, err = newWakeup(); err != nil {
		return nil, err
	}
	for i := range ports {
		s, err := openSocket(&ports[i])
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open port %d of the router: %w", i+1, err), r.release())
		}
		r.socks = append(r.socks, s)
	}
	go r.run()
	r.stop = context.AfterFunc(ctx, r.wake)
	return r, nil
}

// wake ends the loop, if it has not ended yet.
func (r *Router) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.wakeup.wake()
	}
}

// Update replaces the configuration, all counts of its rules included. Packets
// on their way finish it by the former one.
func (r *Router) Update(cfg Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.engine.update(cfg)
}

// Stats returns the router's counters.
func (r *Router) Stats() *Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.countDrops()
	}
	return &r.engine.stats
}

// countDrops adds up what the sockets had no room for.
func (r *Router) countDrops() {
	for _, s := range r.socks {
		if n, err := s.drops(); err == nil {
			r.engine.stats.SocketDrops.Add(uint64(n))
		}
	}
}

// Close stops the router and waits for its end. Packets on their way are lost.
// The error says why the router had ended before, if anything but its devices'
// end was the cause.
func (r *Router) Close() error {
	r.stop()
	r.wake()
	<-r.done
	return r.err
}

// Done is closed when the router has ended.
func (r *Router) Done() <-chan struct{} { return r.done }

// release closes the descriptors.
func (r *Router) release() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.countDrops()
	r.closed = true
	errs := []error{os.NewSyscallError("close", unix.Close(int(r.wakeup)))}
	for _, s := range r.socks {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// run is the router's goroutine.
func (r *Router) run() {
	defer close(r.done)
	// A thread of its own, which ends with the goroutine: the kernel may delay
	// the timers of others by 50 microseconds (timer slack, prctl(2)).
	runtime.LockOSThread()
	hurry()
	err := os.NewSyscallError("prctl PR_SET_TIMERSLACK", unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0))
	if err == nil {
		err = r.loop()
	}
	if errors.Is(err, errGone) {
		err = nil
	}
	r.err = errors.Join(err, r.release())
}

// hurry has the thread run before all ordinary ones as soon as it has something
// to do, where that is allowed: to root, not in a user namespace.
func hurry() {
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1, Flags: unix.SCHED_FLAG_RESET_ON_FORK,
	}, 0)
}

// loop moves packets until it is woken.
func (r *Router) loop() error {
	fds := []unix.PollFd{{Fd: int32(r.wakeup), Events: unix.POLLIN}}
	for _, s := range r.socks {
		fds = append(fds, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN}, unix.PollFd{Fd: int32(s.links), Events: unix.POLLIN})
	}
	var out []*Packet
	for {
		if err := r.wait(fds); err != nil {
			return err
		}
		if fds[0].Revents != 0 {
			return nil
		}
		r.mu.Lock()
		err := r.receive(fds[1:])
		if err == nil {
			out = r.engine.due(time.Since(r.start), out[:0])
			err = r.send(out)
		}
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// wait waits for a frame, or for the time at which one is to leave.
func (r *Router) wait(fds []unix.PollFd) error {
	var timeout *unix.Timespec
	r.mu.Lock()
	at, ok := r.engine.next()
	r.mu.Unlock()
	if ok {
		ts := unix.NsecToTimespec(int64(max(at-time.Since(r.start), 0)))
		timeout = &ts
	}
	for i := range fds {
		fds[i].Revents = 0
	}
	_, err := unix.Ppoll(fds, timeout, nil)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("ppoll", err)
	}
	return nil
}

// receive takes a batch of what came by each port, whose two descriptors have
// a pair of fds.
func (r *Router) receive(fds []unix.PollFd) error {
	for i, s := range r.socks {
		var err error
		if fds[2*i].Revents != 0 {
			err = s.receive(r.start, func(at time.Duration, frame []byte) { r.engine.receive(at, i, frame) })
		}
		if fds[2*i+1].Revents != 0 {
			err = errors.Join(err, s.check())
		}
		if err != nil {
			return fmt.Errorf("port %d: %w", i+1, err)
		}
	}
	return nil
}

// send sends frames in order and gives them back.
func (r *Router) send(out []*Packet) error {
	if len(out) == 0 {
		return nil
	}
	stats := &r.engine.stats
	for _, p := range out {
		s := r.socks[p.port]
		if s.full() {
			if err := r.flush(p.port); err != nil {
				return err
			}
		}
		s.add(p)
	}
	for i := range r.socks {
		if err := r.flush(i); err != nil {
			return err
		}
	}
	// The first is the one that has waited longest.
	late := int64(time.Since(r.start) - out[0].at)
	stats.Late.Store(max(stats.Late.Load(), late))
	for _, p := range out {
		r.engine.put(p)
	}
	return nil
}

func (r *Router) flush(port int) error {
	s := r.socks[port]
	n := s.n
	refused, err := s.flush()
	r.engine.stats.Unsent.Add(uint64(refused))
	r.engine.stats.Sent.Add(uint64(n - refused))
	if err != nil {
		return fmt.Errorf("port %d: %w", port+1, err)
	}
	return nil
}
