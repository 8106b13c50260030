package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/probe/probetest"
)

// listenTrace opens a link of one protocol in the network in memory.
func (w *world) listenTrace(n *probetest.Net, s traceSocket) (traceLink, error) {
	w.note(fmt.Sprintf("listen %v %v", s.Family, s.Method))
	w.traced = append(w.traced, s)
	if err := w.listen[s.Family]; err != nil {
		return nil, err
	}
	return &fakeTrace{
		fakeSocket: fakeSocket{Link: n.Link(s.Family), mode: max(w.mode, icmpx.ModeRaw)}, proto: s.Method.Proto(),
	}, nil
}

// A fakeTrace is a fakeSocket of one protocol.
type fakeTrace struct {
	fakeSocket
	proto icmpx.Proto
}

func (s *fakeTrace) Keys(r *icmpx.Request) (icmpx.KeySpace, bool) {
	if r.Proto != s.proto {
		return icmpx.KeySpace{}, false
	}
	return s.Link.Keys(r)
}

// directory returns the table of names, and notes which server is to be asked.
func (w *world) directory(server netip.AddrPort) directory {
	if server.IsValid() {
		w.note(fmt.Sprintf("ask %v", server))
	}
	return texts{w}
}

// texts is the world's table of names with its text records, which answers as
// slowly as the world says.
type texts struct{ *world }

// LookupAddr finds names, after a while.
func (t texts) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := t.sleep(ctx, addr); err != nil {
		return nil, err
	}
	return t.world.LookupAddr(ctx, addr)
}

// LookupTXT finds texts under the same names as addresses.
func (t texts) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := t.sleep(ctx, name); err != nil {
		return nil, err
	}
	t.note("look up TXT " + name)
	if found := t.texts[name]; found != nil {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (t texts) sleep(ctx context.Context, name string) error {
	select {
	case <-time.After(t.slow[name]):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
