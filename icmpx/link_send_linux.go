package icmpx

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A sender is the sending half of an ICMPLink. All but the functions that the
// poller calls is guarded by mu.
type sender struct {
	link *ICMPLink
	mu   sync.Mutex
	box  *outbox
	rs   []Request // those that box holds the messages of

	usual DF               // mode of requests that have none
	dfNow DF               // mode that the link's own socket has
	df    DF               // mode of the batch
	sock  *socket          // that sends it
	modes [DFProbe + 1]int // the kernel's numbers for them

	flow uint32       // IPv6 flow label; 0: the kernel's choice
	src  *sourceTable // nil: source addresses are the kernel's choice

	opts  [maxSendWords]sendOption
	errno syscall.Errno
	write func(fd uintptr) bool // send, bound once so that calls do not allocate
	retry func(fd uintptr)      // again
}

func (s *sender) init(l *ICMPLink, cfg *ICMPConfig) {
	s.link, s.box = l, newOutbox()
	s.usual, s.dfNow, s.modes = cfg.DF, cfg.DF, cfg.Family.sock().mtuModes
	s.modes[DFSystem] = l.systemDF
	if cfg.NoLearning && cfg.Family == IPv4 {
		s.dfNow = noDF // also where no socket could be opened that sends apart
	}
	s.flow = cfg.FlowLabel
	if cfg.FixSource {
		s.src = newSourceTable(l)
	}
	s.write, s.retry = s.send, s.again
}

// Send sends requests in order and returns how many were taken; the error says
// why the next one was not. Sent and ClockOffset of those taken are set.
//
// A packet that this host does not let out for its size, because it may not be
// fragmented, is taken and answered at once: Recv returns KindTooBig from this
// host's own address.
func (l *ICMPLink) Send(rs []Request) (int, error) {
	s := &l.out
	s.mu.Lock()
	defer s.mu.Unlock()
	done := 0
	for done < len(rs) {
		n, err := s.collect(rs[done:])
		if n == 0 {
			return done, err
		}
		sent, err := s.flush(rs[done : done+n])
		done += sent
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// collect writes the messages of the first requests into the outbox: as many
// as fit, are sound, and share a path-MTU discovery mode, which is a property
// of the socket.
func (s *sender) collect(rs []Request) (int, error) {
	s.box.reset()
	mode := s.mode(&rs[0])
	for i := range rs {
		if s.mode(&rs[i]) != mode {
			return i, nil
		}
		if full, err := s.marshal(&rs[i]); full || err != nil {
			return i, err
		}
	}
	return len(rs), nil
}

func (s *sender) mode(r *Request) DF {
	if r.DF == DFSystem {
		return s.usual
	}
	return r.DF
}

// apart reports whether requests of a mode leave by the socket for that.
func (s *sender) apart(df DF) bool { return df == DFProbe && s.link.apart != nil }

// head is the length in bytes of the IP header that is written for r; 0: the
// kernel does it.
func (s *sender) head(r *Request) int {
	if !s.apart(s.mode(r)) {
		return 0
	}
	return s.link.apart.head
}

// marshal adds the message of r to the outbox. full: there is no room left.
func (s *sender) marshal(r *Request) (full bool, err error) {
	l := s.link
	typ, ok := l.requestType(r.Proto)
	if !ok || !l.reaches(r.Dst) {
		return false, fmt.Errorf("send to %v: not for an %v", r.Dst, l)
	}
	scope, err := l.zones.index(l.sock, r.Dst)
	if err != nil {
		return false, fmt.Errorf("send to %v: %w", r.Dst, err)
	}
	var body []byte
	n := headerLen
	if r.Proto == ProtoEcho {
		n, err = l.echoLen(r)
	} else {
		body, err = l.queryBody(r)
		n = 4 + len(body)
	}
	var src netip.Addr
	if err == nil && s.src != nil {
		src, err = s.src.find(r.Dst, scope)
	}
	if err != nil {
		return false, fmt.Errorf("send to %v: %w", r.Dst, err)
	}
	head := s.head(r)
	b := s.box.room(head + n)
	if b == nil {
		return true, nil
	}
	if r.Proto == ProtoEcho {
		putEchoRequest(b[head:], typ, l.id, r)
		l.paris.hold(b[head:], r)
	} else {
		putQuery(b[head:], l.family, typ, l.id, uint16(r.Key.Tag), body)
	}
	if head > 0 {
		l.apart.putHeader(b, r)
	}
	s.box.add(b, r.Dst, 0, scope, s.options(r, scope))
	if s.flow != 0 {
		s.box.label(s.flow)
	}
	if src.IsValid() {
		s.box.from(src, s.src.zone(src, scope))
	}
	return false, nil
}

// echoLen returns the length of the ICMP message of an echo request.
func (l *ICMPLink) echoLen(r *Request) (int, error) {
	f := l.family
	switch {
	case r.Size != 0 && r.Size < f.HeaderLen()+headerLen:
		return 0, fmt.Errorf("%d bytes are less than the headers of an echo request: %w", r.Size, unix.EINVAL)
	case r.Size != 0 && r.Size < f.HeaderLen()+headerLen+len(r.Payload):
		return 0, fmt.Errorf("payload of %d bytes exceeds a packet of %d: %w", len(r.Payload), r.Size, unix.EINVAL)
	case l.paris != nil && (r.Payload != nil || r.Path >= maxPaths):
		return 0, fmt.Errorf("a constant checksum takes the link's payload, and a path below %d: %w", maxPaths, unix.EINVAL)
	case r.PayloadLen(f) > l.MaxPayload():
		return 0, fmt.Errorf("payload of %d bytes exceeds the largest packet: %w", r.PayloadLen(f), unix.EMSGSIZE)
	}
	return headerLen + r.PayloadLen(f), nil
}

func putEchoRequest(b []byte, typ uint8, id uint16, r *Request) {
	p := b[headerLen:]
	if r.Payload != nil {
		clear(p[copy(p, r.Payload):])
	} else {
		FillPayload(p, r.Token, r.Pattern)
	}
	PutEcho(b, typ, 0, id, uint16(r.Key.Tag))
}

// queryBody returns what follows the checksum of a query other than echo.
func (l *ICMPLink) queryBody(r *Request) ([]byte, error) {
	if r.Body == nil {
		return nil, fmt.Errorf("query without a body: %w", unix.EINVAL)
	}
	body, err := r.Body.Marshal(l.family.Protocol())
	if err != nil {
		return nil, fmt.Errorf("marshal query: %w", err)
	}
	if len(body) < 4 || len(body) > maxMessage-l.headerLen()-4 {
		return nil, fmt.Errorf("query body of %d bytes: %w", len(body), unix.EINVAL)
	}
	return body, nil
}

// putQuery writes a query with the link's identifier and sequence number, of
// which an extended echo has 8 bits, before its flags.
func putQuery(b []byte, f Family, typ uint8, id, seq uint16, body []byte) {
	copy(b[4:], body)
	if queryOf(f, typ) == queryExtended {
		seq = seq<<8 | uint16(b[7])
	}
	PutEcho(b, typ, 0, id, seq)
}

// options returns the ancillary data for r. Before Linux 6.13 there is no
// number for the transmit stamp.
func (s *sender) options(r *Request, scope uint32) []sendOption {
	n := s.link.family.sock()
	opts := s.opts[:0]
	own := s.head(r) > 0 // the header says it
	if r.TTL != 0 && !own {
		opts = append(opts, sendOption{n.level, n.ttlData, uint32(r.TTL)})
	}
	if r.TOS >= 0 && !own {
		opts = append(opts, sendOption{n.level, n.tosData, uint32(r.TOS & 0xff)})
	}
	if s.link.byID {
		id := s.link.stamps.put(r.Key, r.Dst, scope)
		opts = append(opts, sendOption{unix.SOL_SOCKET, scmStampID, id})
	}
	return opts
}

// flush sends what was collected for rs. Its rules, for the message that the
// kernel did not take:
//  1. no room: wait for it;
//  2. too large to leave unfragmented, as it must: that is its answer;
//  3. an error of another probe that was pending on the socket: send again;
//  4. else that is why.
func (s *sender) flush(rs []Request) (int, error) {
	s.rs = rs
	defer func() { s.rs = nil }()
	defer s.rest()
	s.df = s.mode(&rs[0])
	s.sock = s.link.sock
	if s.apart(s.df) {
		s.sock = s.link.apart.sock
	} else if s.df != s.dfNow {
		if err := s.setMode(s.df); err != nil {
			return 0, err
		}
	}
	for s.box.next < s.box.n {
		if s.sock.raw.Write(s.write) != nil {
			return s.box.next, net.ErrClosed
		}
		if s.errno == 0 || s.tooBig(false) {
			continue
		}
		if s.link.pending && mayPend(s.errno) {
			if err := s.sendAgain(); err != nil {
				return s.box.next, err
			}
			if s.errno == 0 || s.errno == unix.EAGAIN || s.tooBig(true) {
				continue
			}
		}
		s.link.zones.forget(rs[s.box.next].Dst)
		return s.box.next, os.NewSyscallError("sendmsg", s.errno)
	}
	return s.box.next, nil
}

// noDF is no mode of requests: the socket only receives.
const noDF DF = DFProbe + 1

// rest has a socket that is to learn nothing only receive again.
func (s *sender) rest() {
	if s.link.apart != nil && s.dfNow != noDF {
		_ = s.setMode(noDF) // fails only when closed
	}
}

// setMode gives the socket a path-MTU discovery mode.
func (s *sender) setMode(df DF) (err error) {
	l := s.link
	mode := receiveOnly
	if df != noDF {
		mode = s.modes[df]
	}
	cerr := l.sock.raw.Control(func(fd uintptr) {
		n := l.family.sock()
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), n.level, n.mtuDiscover, mode))
	})
	if cerr != nil {
		return net.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("set path-MTU discovery: %w", err)
	}
	s.dfNow = df
	return nil
}

// send is called by the poller; false waits until there is room.
func (s *sender) send(fd uintptr) bool {
	s.stampNow()
	s.errno = s.box.send(fd, s.box.n)
	return s.errno != unix.EAGAIN
}

// stampNow notes the time of sending, as late as it can be.
func (s *sender) stampNow() {
	now := time.Now()
	offset := s.link.clock.offset(now)
	for i := s.box.next; i < s.box.n; i++ {
		s.rs[i].Sent, s.rs[i].ClockOffset = now, offset
	}
}

// sendAgain repeats the send of one message while errors of other probes may
// be what it returns. Meanwhile none is taken from the error queue, since that
// makes the next one pending, so only errors that have just arrived can follow.
func (s *sender) sendAgain() error {
	s.link.dequeue.Lock()
	defer s.link.dequeue.Unlock()
	if s.sock.raw.Control(s.retry) != nil {
		return net.ErrClosed
	}
	return nil
}

func (s *sender) again(fd uintptr) {
	for range maxPending {
		s.stampNow()
		if s.errno = s.box.send(fd, 1); !mayPend(s.errno) {
			return
		}
	}
}

// mayPend reports whether errno is one that an ICMP error about an earlier
// probe leaves on the socket (icmp_err_convert of net/ipv4/icmp.c, tab_unreach
// of net/ipv6/icmp.c, and what ping_err of net/ipv4/ping.c adds).
func mayPend(errno syscall.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EMSGSIZE,
		unix.EOPNOTSUPP, unix.EHOSTDOWN, unix.ENONET, unix.EPROTO, unix.EREMOTEIO, unix.EACCES:
		return true
	}
	return false
}

// tooBig answers the message that the kernel did not take for its size. Unless
// it is sure that this was the reason, and not a pending error, the limit must
// prove it.
func (s *sender) tooBig(sure bool) bool {
	df := s.df
	if s.errno != unix.EMSGSIZE || df != DFSet && df != DFProbe {
		return false
	}
	l, r := s.link, &s.rs[s.box.next]
	scope, err := l.zones.index(l.sock, r.Dst)
	if err != nil {
		return false
	}
	size := l.headerLen() - s.head(r) + int(s.box.iovs[s.box.next].Len)
	mtu, src := l.route.limit(r.Dst, scope, df)
	if mtu == 0 || mtu >= size {
		if mtu = 0; l.pending && !sure {
			return false
		}
	}
	s.box.next++
	l.in.inject(l.refusal(r, l.zones.with(l.sock, src, scope), max(scope, l.device), mtu))
	return true
}

// refusal is the answer that this host itself gives to r, in the words that a
// router would use.
func (l *ICMPLink) refusal(r *Request, src netip.Addr, ifIndex uint32, mtu int) Reply {
	now := time.Now()
	reply := Reply{
		Kind: KindTooBig, Type: v4Unreachable, Code: codeFragNeeded,
		Key: r.Key, Dst: r.Dst, From: src, IfIndex: int(ifIndex), MTU: mtu,
		At: now, Read: now, ClockOffset: l.clock.offset(now),
	}
	if l.family == IPv6 {
		reply.Type, reply.Code = v6PacketTooBig, 0
	}
	return reply
}
