package probetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/icmpx/icmpx/icmpx"
)

// Options describe a network and the host that probes it. The zero Options are
// a network without hosts, with kernel stamps in both directions.
type Options struct {
	Hosts []Host // each address once; a later host replaces an earlier one

	// Lookup supplies the hosts that Hosts does not name, once per address; nil,
	// or a nil answer, means that nobody is there and packets vanish. It is
	// called with the network locked.
	Lookup func(netip.Addr) *Host

	Rules     []Rule // for every packet, after the rules of its path
	Intercept Effect // the last word on every packet; nil: none

	Seed    uint64     // of everything random
	MTU     int        // of this host's interface, bytes; 0: no limit
	Source4 netip.Addr // own addresses; zero: 192.0.2.250 and 2001:db8::250
	Source6 netip.Addr
	LastTag uint32 // last tag of each key space; 0: what the protocol has (65,536 of an echo)
	Classic bool   // UDP probes are told apart by destination port, not by checksum

	UserStamps bool          // no kernel stamps: Reply.At is the time of reading
	NoTxStamps bool          // no KindSent replies; receive stamps stay
	TxDelay    time.Duration // between Send and the packet's departure
	RxDelay    time.Duration // between a packet's arrival and its being readable
	Buffer     int           // replies that a link queues before it drops and counts; 0: no limit

	SendErr func(*icmpx.Request) error // what Send answers instead of sending; nil: never
	Outages []Outage
	Steps   []Step
	Stalls  []Window // when the receivers do not run; each must end
}

// A Window is a time from From until before To, both counted from New. A To of
// zero means that it does not end.
type Window struct{ From, To time.Duration }

func (w Window) holds(t time.Duration) bool {
	return t >= w.From && (w.To == 0 || t < w.To)
}

// An Outage is a time without a network. With Err, Send fails with it. Without,
// packets are taken and vanish before they leave, hence without a transmit
// stamp. Answers that would arrive meanwhile are lost either way.
type Outage struct {
	Window
	Err error
}

// A Step is a jump of the wall clock. The monotonic clock, and with it
// everything that waits, does not notice.
type Step struct {
	At time.Duration // counted from New
	By time.Duration // positive: forward
}

// A Net is a network in memory. Its methods may be called concurrently.
type Net struct {
	mu      sync.Mutex
	opt     Options
	start   time.Time
	rng     *rand.Rand
	hosts   map[netip.Addr]*host
	buckets map[netip.Addr]*bucket
	rules   []*rule
	links   []*Link
	packets int
	fail    error
}

// New builds a network whose clock starts now. Under testing/synctest it is to
// be called inside the bubble. It panics on a scenario that makes no sense, as
// [Options.Check] tells.
func New(o Options) *Net {
	if err := o.Check(); err != nil {
		panic("probetest: " + err.Error())
	}
	o.Source4 = orAddr(o.Source4, "192.0.2.250")
	o.Source6 = orAddr(o.Source6, "2001:db8::250")
	o.Outages = append([]Outage(nil), o.Outages...)
	o.Steps = append([]Step(nil), o.Steps...)
	o.Stalls = append([]Window(nil), o.Stalls...)
	n := &Net{
		opt:     o,
		start:   time.Now(),
		rng:     rand.New(rand.NewPCG(o.Seed, 0x69636d7078)),
		hosts:   make(map[netip.Addr]*host, len(o.Hosts)),
		buckets: make(map[netip.Addr]*bucket),
		rules:   compileRules(o.Rules),
	}
	for _, h := range o.Hosts {
		n.hosts[h.Addr] = newHost(h)
	}
	return n
}

// Check says what is wrong with the options: a host without an address, two
// families on one path, a negative time, a probability above 1, a stall without
// an end.
func (o *Options) Check() error {
	for i := range o.Hosts {
		if err := o.Hosts[i].check(); err != nil {
			return fmt.Errorf("host %d: %w", i+1, err)
		}
	}
	if o.MTU < 0 || o.TxDelay < 0 || o.RxDelay < 0 || o.Buffer < 0 {
		return fmt.Errorf("negative MTU, delay or buffer")
	}
	for _, w := range o.Stalls {
		if w.To <= w.From {
			return fmt.Errorf("stall from %v ends at %v", w.From, w.To)
		}
	}
	return checkRules(o.Rules)
}

func orAddr(a netip.Addr, def string) netip.Addr {
	if a.IsValid() {
		return a
	}
	return netip.MustParseAddr(def)
}

// SetHost adds a host, or gives it another path: packets sent from now on take
// it. It panics as New does.
func (n *Net) SetHost(h Host) {
	if err := h.check(); err != nil {
		panic("probetest: " + err.Error())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[h.Addr] = newHost(h)
}

// StepClock moves the wall clock of the probing host now, forward if by is
// positive.
func (n *Net) StepClock(by time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opt.Steps = append(n.opt.Steps, Step{At: time.Since(n.start), By: by})
}

// Fail makes Send fail with err from now on, until Fail(nil).
func (n *Net) Fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = err
}

// Stall stops the receivers for d from now: a Recv hands up nothing, not even
// that its deadline has passed, until then. Packets still arrive, and are
// stamped.
func (n *Net) Stall(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Since(n.start)
	n.opt.Stalls = append(n.opt.Stalls, Window{From: now, To: now + d})
	for _, l := range n.links {
		l.wakeLocked()
	}
}

// Packets returns how many packets have left so far.
func (n *Net) Packets() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.packets
}

// shift returns how far the wall clock is off at t, counted from start.
func (n *Net) shift(t time.Duration) time.Duration {
	var sum time.Duration
	for _, s := range n.opt.Steps {
		if s.At <= t {
			sum += s.By
		}
	}
	return sum
}

// clockOffset returns wall minus monotonic time at t.
func (n *Net) clockOffset(t time.Time) time.Duration {
	return time.Duration(n.start.UnixNano()) + n.shift(t.Sub(n.start))
}

// outage returns whether the network is down at t, and the error for Send.
func (n *Net) outage(t time.Time) (down bool, err error) {
	at := t.Sub(n.start)
	for _, o := range n.opt.Outages {
		if o.holds(at) {
			return true, o.Err
		}
	}
	return false, nil
}

// stalledUntil returns when the receivers go on; the zero time: they run.
func (n *Net) stalledUntil(now time.Time) time.Time {
	var until time.Time
	at := now.Sub(n.start)
	for _, w := range n.opt.Stalls {
		if w.holds(at) {
			if end := n.start.Add(w.To); end.After(until) {
				until = end
			}
		}
	}
	return until
}

// lookup finds the host that answers for a, nil if there is none.
func (n *Net) lookup(a netip.Addr) *host {
	if h, ok := n.hosts[a]; ok {
		return h
	}
	if h, ok := n.hosts[a.WithZone("")]; ok && a.Zone() != "" {
		return h
	}
	if n.opt.Lookup == nil {
		return nil
	}
	var found *host
	if h := n.opt.Lookup(a); h != nil {
		c := *h
		c.Addr = orHost(c.Addr, a)
		if err := c.check(); err != nil {
			panic("probetest: lookup: " + err.Error())
		}
		found = newHost(c)
	}
	n.hosts[a] = found
	return found
}

func orHost(a, def netip.Addr) netip.Addr {
	if a.IsValid() {
		return a
	}
	return def
}

func (n *Net) source(f icmpx.Family) netip.Addr {
	if f == icmpx.IPv6 {
		return n.opt.Source6
	}
	return n.opt.Source4
}
