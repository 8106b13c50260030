package owner

import (
	"io/fs"
	"net/netip"
	"time"
)

// A State says how much is known of who sent a packet.
type State uint8

// States.
const (
	Unknown    State = iota // not looked up yet: that is not done for every packet
	Found                   // Processes holds the only one that has a socket which can have sent it
	Candidates              // several have such sockets; Processes are those that may be seen
	Ended                   // there is no such socket any more; or it went out by a packet socket, past the IP stack
	Hidden                  // the socket is there, and its process may not be seen
)

// String returns a word for the state, as JSON has it.
func (s State) String() string {
	switch s {
	case Found:
		return "found"
	case Candidates:
		return "candidates"
	case Ended:
		return "ended"
	case Hidden:
		return "hidden"
	}
	return "unknown"
}

// A Query is a packet whose sender is looked for.
type Query struct {
	V6       bool
	Src, Dst netip.Addr // without zones
	ID       uint16     // of a query message such as an echo request
}

// An Owner is what was found of a packet's sender.
type Owner struct {
	State     State
	Kind      Kind      // of the sockets; 0: no socket
	UID       uint32    // user who opened the first of them
	Processes []Process // in order of PID; none unless Found or Candidates
}

// Bounds of a Lookup.
const (
	maxFlows    = 4096
	maxAge      = 2 * time.Second       // after which what was found is looked up anew
	readEvery   = 10 * time.Millisecond // the tables are read no more often
	maxInodes   = 256                   // sockets whose processes are looked for at once
	maxRemember = 4096                  // sockets whose processes are remembered
	restFactor  = 4                     // a search is followed by a rest of so many times its length
)

// A Lookup finds the senders of packets. It remembers what it has found for a
// while, so that most packets cost a look into a map. It is for one goroutine.
type Lookup struct {
	// Proc is the file system at /proc, of which the tables are read.
	Proc fs.FS
	// Find finds the processes of sockets, as Find or Client.Find does.
	Find func(inodes []uint64) (Answer, error)

	sockets []Socket // as last read
	read    time.Time
	rest    time.Time // until then no processes are looked for
	flows   map[Query]flow
	known   map[uint64]finding // by inode
}

type flow struct {
	owner Owner
	at    time.Time
}

// A finding is what Find said of a socket.
type finding struct {
	processes []Process
	hidden    bool // there may be others
	at        time.Time
}

// Owner returns who sent the packet q.
func (l *Lookup) Owner(q Query) (Owner, error) {
	now := time.Now()
	if f, ok := l.flows[q]; ok && now.Sub(f.at) < maxAge {
		return f.owner, nil
	}
	if !l.read.IsZero() && now.Sub(l.read) < readEvery {
		o := l.judge(q)
		if o.State == Ended { // or begun since
			o = Owner{}
		}
		return o, nil
	}
	l.read = now
	var err error
	if l.sockets, err = ReadSockets(l.Proc, "self/net"); err != nil {
		return Owner{}, err
	}
	if err := l.findAll(l.fitting(q), now); err != nil {
		return Owner{}, err
	}
	o := l.judge(q)
	if o.State == Unknown {
		return o, nil
	}
	if l.flows == nil || len(l.flows) >= maxFlows {
		l.flows = make(map[Query]flow)
	}
	l.flows[q] = flow{o, now}
	return o, nil
}

// findAll finds the processes of the sockets that are not known, or not any
// more.
func (l *Lookup) findAll(sockets []Socket, now time.Time) error {
	var inodes []uint64
	for i := range sockets {
		if f, ok := l.known[sockets[i].Inode]; (!ok || now.Sub(f.at) >= maxAge) && len(inodes) < maxInodes {
			inodes = append(inodes, sockets[i].Inode)
		}
	}
	if len(inodes) == 0 || now.Before(l.rest) {
		return nil
	}
	a, err := l.Find(inodes)
	if err != nil {
		return err
	}
	l.rest = now.Add((restFactor + 1) * time.Since(now))
	if l.known == nil || len(l.known) >= maxRemember {
		l.known = make(map[uint64]finding)
	}
	for _, n := range inodes {
		f := finding{a.Processes[n], a.Hidden > 0, now}
		if len(f.processes) == 0 && !f.hidden {
			f.processes = l.known[n].processes // it has ended meanwhile: it is still who it was
		}
		l.known[n] = f
	}
	return nil
}

// fitting returns the sockets that q may have been sent with, the surest kind
// alone: a ping socket has its identifier for itself.
func (l *Lookup) fitting(q Query) []Socket {
	for _, fits := range []func(*Socket) bool{
		func(s *Socket) bool { return s.Kind == Ping && s.ID == q.ID },
		func(s *Socket) bool { return s.Kind == Raw && s.Protocol != protoRaw },
		func(s *Socket) bool { return s.Kind == Raw },
	} {
		var list []Socket
		for i := range l.sockets {
			if s := &l.sockets[i]; s.V6 == q.V6 && fits(s) && covers(s.Local, q.Src) && covers(s.Remote, q.Dst) {
				list = append(list, *s)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// covers reports whether a socket that is bound or connected to bound can have
// a packet with address a.
func covers(bound, a netip.Addr) bool { return !bound.IsValid() || bound == a }

// judge says who sent q, by what is known.
func (l *Lookup) judge(q Query) Owner {
	list := l.fitting(q)
	if len(list) == 0 {
		return Owner{State: Ended}
	}
	o := Owner{Kind: list[0].Kind, UID: list[0].UID}
	open, unknown, veiled := 0, 0, false
	for i := range list {
		f, asked := l.known[list[i].Inode]
		if asked && len(f.processes) == 0 && !f.hidden {
			continue // closed since the table was read
		}
		open++
		if !asked {
			unknown++
		}
		veiled = veiled || len(f.processes) == 0
		o.Processes = merge(o.Processes, f.processes)
	}
	switch {
	case open == 0:
		o.State = Ended
	case unknown == open:
		o.State = Unknown
	case len(o.Processes) == 0:
		o.State = Hidden
	case len(o.Processes) > 1 || veiled:
		o.State = Candidates
	default:
		o.State = Found
	}
	return o
}

// merge returns a with those of b that it lacks.
func merge(a, b []Process) []Process {
	merged := append([]Process(nil), a...)
	for _, p := range b {
		if len(merged) < maxOwners && !has(merged, p) {
			merged = append(merged, p)
		}
	}
	return merged
}

func has(list []Process, p Process) bool {
	for _, q := range list {
		if q.PID == p.PID {
			return true
		}
	}
	return false
}
