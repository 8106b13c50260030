package main

import (
	"bytes"
	"io/fs"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/owner"
	"github.com/icmpx/icmpx/internal/packet"
)

// An ownerView says which process of this host sent a packet. It stands behind
// the view of the packet, and before what writes the packet to a file.
type ownerView struct {
	source *liveSource
	lookup owner.Lookup
	find   processFinder
	json   bool
	inline bool // the packet's view is one line, which the process goes to
	silent bool // no packets are shown
	note   bool // it goes to the file, as a comment on the packet
	warn   func(error)

	failed bool
	hidden bool // a process was there and could not be seen
}

func newOwnerView(src *liveSource, proc fs.FS, find processFinder) *ownerView {
	return &ownerView{source: src, find: find, lookup: owner.Lookup{Proc: proc, Find: find.Find}}
}

func (v *ownerView) packet(b []byte, s *seen) []byte {
	live := &v.source.captured
	id, ok := queryID(s.Packet)
	if v.failed || !ok || !live.Outgoing && !live.Loopback {
		return b
	}
	o, err := v.lookup.Owner(owner.Query{V6: s.IP.Family == icmpx.IPv6, Src: s.IP.Src, Dst: s.IP.Dst, ID: id})
	if err != nil {
		v.failed = true
		v.warn(err)
		return b
	}
	v.hidden = v.hidden || o.State == owner.Hidden
	if v.note && o.State != owner.Unknown {
		s.Frame.Comments = append(s.Frame.Comments, ownerNote(&o))
	}
	if v.silent {
		return b
	}
	if v.json {
		return render.AppendOwnerJSON(b, s.Frame.Number, &o)
	}
	if n := len(b); v.inline && n > 0 && b[n-1] == '\n' {
		return append(render.AppendOwner(append(b[:n-1], ' '), &o), '\n')
	}
	return append(render.AppendOwner(append(b, '\t'), &o), '\n')
}

// ownerNote says what was found, without the brackets that set it off from a
// packet.
func ownerNote(o *owner.Owner) string {
	return string(bytes.Trim(render.AppendOwner(nil, o), "[]"))
}

func (v *ownerView) end(b []byte) []byte { return b }

func (v *ownerView) close() error { return v.find.Close() }

// queryID returns the identifier of a message that asks a question, which a
// process of this host has sent: errors and answers come from the kernel.
func queryID(p *packet.Packet) (id uint16, ok bool) {
	m := p.Message
	if len(m) < 8 {
		return 0, false
	}
	switch {
	case p.IP.Family == icmpx.IPv4 && (p.Type == 8 || p.Type == 13 || p.Type == 15 || p.Type == 17 || p.Type == 42):
	case p.IP.Family == icmpx.IPv6 && (p.Type == 128 || p.Type == 160):
	default:
		return 0, false
	}
	return uint16(m[4])<<8 | uint16(m[5]), true
}
