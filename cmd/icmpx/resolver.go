package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A directory is what a trace asks about names, addresses and autonomous
// systems; *net.Resolver is one.
type directory interface {
	resolver
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// domainPort is where name servers listen (RFC 1035 section 4.2).
const domainPort = 53

// parseServer reads "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or
// "[2001:db8::53]:53".
func parseServer(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, domainPort), nil
	}
	server, err := netip.ParseAddrPort(s)
	if err == nil && server.Port() == 0 {
		err = errors.New("no port")
	}
	return server, err
}

// newDirectory returns what asks a name server; the zero AddrPort is those that
// the system is set up for. It gives up as soon as its context is canceled, which
// a net.Resolver that waits for an answer does not by itself. The end of its time
// the resolver knows: an error that says so is better than a closed socket.
func newDirectory(server netip.AddrPort) directory {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if server.IsValid() {
			address = server.String()
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() {
				if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
					_ = conn.Close() // the resolver closes it too; it was only read
				}
			})
		}
		return conn, err
	}}
	if server.IsValid() {
		return &chosenDirectory{r, server}
	}
	return r
}

// A chosenDirectory asks one name server, which the resolver does not know of:
// its errors name those of the system.
type chosenDirectory struct {
	*net.Resolver
	server netip.AddrPort
}

// LookupNetIP looks a name up.
func (d *chosenDirectory) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	addrs, err := d.Resolver.LookupNetIP(ctx, network, host)
	var e *net.DNSError
	if errors.As(err, &e) && e.Server != "" {
		named := *e // which others may hold as well
		named.Server = d.server.String()
		err = &named
	}
	return addrs, err
}

// serverFault says what a name server did that is no answer.
func serverFault(e *net.DNSError) string {
	who := "the name server"
	if a, err := netip.ParseAddrPort(e.Server); err == nil && a.Port() == domainPort {
		who = "name server " + a.Addr().String()
	} else if e.Server != "" {
		who = "name server " + e.Server
	}
	switch {
	case e.IsTimeout:
		return who + " does not answer"
	case e.Server == "":
		return e.Err
	}
	why := e.Err[strings.LastIndex(e.Err, ": ")+1:] // behind the names of calls and sockets
	return who + ": " + strings.TrimPrefix(why, " ")
}

// Limits of the questions that a registry asks: how many addresses at once, and
// how many at all, since a hostile network can answer from any number.
const (
	maxQuestions = 32
	maxEntries   = 1024
)

// patience is how long output waits for what is said about an address, from the
// moment that the address was first seen. All are asked at once: however many
// stay without an answer, and however slow the server is, output is late by no
// more than this.
const patience = time.Second

// A registry finds out about addresses in the background: names, and the
// autonomous systems that announce them. It asks once for each.
type registry struct {
	ctx       context.Context
	stop      context.CancelFunc
	directory directory
	names, as bool // what is asked
	slots     chan struct{}
	running   sync.WaitGroup

	mu    sync.Mutex
	known map[netip.Addr]*entry
}

// An entry is what is known about an address.
type entry struct {
	name, as string
	done     chan struct{} // closed when nothing more will be
	deadline time.Time     // when output goes on without it
}

func newRegistry(ctx context.Context, d directory, names, as bool) *registry {
	r := &registry{directory: d, names: names, as: as, slots: make(chan struct{}, maxQuestions), known: map[netip.Addr]*entry{}}
	r.ctx, r.stop = context.WithCancel(ctx)
	return r
}

// ask has an address looked up, the first time that it is seen.
func (r *registry) ask(a netip.Addr) {
	if !r.names && !r.as || !a.IsValid() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[a] != nil || len(r.known) >= maxEntries {
		return
	}
	e := &entry{done: make(chan struct{}), deadline: time.Now().Add(patience)}
	r.known[a] = e
	r.running.Go(func() { r.lookUp(a, e) })
}

func (r *registry) lookUp(a netip.Addr, e *entry) {
	defer close(e.done)
	select {
	case r.slots <- struct{}{}:
	case <-r.ctx.Done():
		return
	}
	defer func() { <-r.slots }()
	ctx, cancel := context.WithTimeout(r.ctx, lookupTimeout)
	defer cancel()
	var asking sync.WaitGroup
	if r.names {
		asking.Go(func() { r.set(&e.name, r.nameOf(ctx, a)) })
	}
	if r.as {
		asking.Go(func() { r.set(&e.as, r.systemOf(ctx, a)) })
	}
	asking.Wait()
}

func (r *registry) set(field *string, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*field = value
}

// wait returns when all that will be known about some addresses is, or is too
// late, or the run is over.
func (r *registry) wait(list []netip.Addr) {
	for _, a := range list {
		r.mu.Lock()
		e := r.known[a]
		r.mu.Unlock()
		if e == nil {
			continue
		}
		timer := time.NewTimer(time.Until(e.deadline))
		select {
		case <-e.done:
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
	}
}

// nameFor returns the name of an address as far as it is known, else "".
func (r *registry) nameFor(a netip.Addr) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.known[a]; e != nil {
		return e.name
	}
	return ""
}

// systemFor returns the autonomous systems of an address as far as they are
// known, "AS64500" or "AS64500/AS64501", else "".
func (r *registry) systemFor(a netip.Addr) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.known[a]; e != nil {
		return e.as
	}
	return ""
}

// close ends what is under way and waits for it.
func (r *registry) close() {
	r.stop()
	r.running.Wait()
}

func (r *registry) nameOf(ctx context.Context, a netip.Addr) string {
	found, err := r.directory.LookupAddr(ctx, a.WithZone("").String())
	if err != nil || len(found) == 0 {
		return ""
	}
	return strings.TrimSuffix(found[0], ".")
}

// systemOf asks which autonomous systems announce the prefix of an address.
func (r *registry) systemOf(ctx context.Context, a netip.Addr) string {
	name := originName(a)
	if name == "" {
		return ""
	}
	texts, err := r.directory.LookupTXT(ctx, name)
	if err != nil {
		return ""
	}
	return origins(texts)
}

// The zones that say which autonomous system announces a prefix: those of Team
// Cymru's service, which others copy. An answer reads
// "64500 64501 | 192.0.2.0/24 | ...".
const (
	originZone4 = "origin.asn.cymru.com."
	originZone6 = "origin6.asn.cymru.com."
)

// originName returns the name under which the origin of an address is found; ""
// for one that nobody announces.
func originName(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || sharedSpace().Contains(a) {
		return ""
	}
	var b strings.Builder
	if a.Is4() {
		octets := a.As4()
		for i := len(octets) - 1; i >= 0; i-- {
			b.WriteString(strconv.Itoa(int(octets[i])) + ".")
		}
		return b.String() + originZone4
	}
	octets := a.As16()
	for i := len(octets) - 1; i >= 0; i-- {
		for _, nibble := range []byte{octets[i] & 15, octets[i] >> 4} {
			b.WriteString(strconv.FormatUint(uint64(nibble), 16) + ".")
		}
	}
	return b.String() + originZone6
}

// sharedSpace is that of carrier-grade NAT (RFC 6598).
func sharedSpace() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) }

// maxOrigins is how many systems are shown of an address.
const maxOrigins = 4

// origins reads the answer of the longest prefix.
func origins(texts []string) string {
	best, longest := "", -1
	for _, text := range texts {
		numbers, rest, _ := strings.Cut(text, "|")
		prefix, _, _ := strings.Cut(rest, "|")
		bits := 0
		if p, err := netip.ParsePrefix(strings.TrimSpace(prefix)); err == nil {
			bits = p.Bits()
		}
		var list []string
		for _, n := range strings.Fields(numbers) {
			if _, err := strconv.ParseUint(n, 10, 32); err == nil && len(list) < maxOrigins {
				list = append(list, "AS"+n)
			}
		}
		if len(list) > 0 && bits > longest {
			best, longest = strings.Join(list, "/"), bits
		}
	}
	return best
}
