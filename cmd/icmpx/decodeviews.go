package main

import (
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/internal/conversation"
	"github.com/icmpx/icmpx/internal/extract"
)

// consumers returns who takes the packets, in order.
func (s *decodeSession) consumers() []consumer {
	var list []consumer
	if s.asked.fingerprint {
		list = append(list, s.newFingerprinter())
	}
	if s.asked.json {
		list = append(list, s.newJSONView())
		if s.extractor != nil {
			list = append(list, &extractView{session: s})
		}
		return list
	}
	if s.asked.pair || s.asked.stats {
		list = append(list, s.newPairer())
	}
	v := &textView{dump: s.asked.dump, verbose: s.asked.verbose}
	v.line = render.PacketText{Stamp: s.asked.stamp, Nanos: s.asked.nano, Number: s.asked.number, Name: s.names()}
	v.tree = render.PacketTree{Name: s.names()}
	list = append(list, v)
	if s.extractor != nil {
		list = append(list, &extractView{session: s})
	}
	return list
}

// names returns what finds the name of an address; nil without --resolve.
func (s *decodeSession) names() func(netip.Addr) string {
	if s.registry == nil {
		return nil
	}
	return func(a netip.Addr) string {
		s.registry.ask(a)
		s.registry.wait([]netip.Addr{a})
		return s.registry.nameFor(a)
	}
}

// A textView prints packets for people.
type textView struct {
	line    render.PacketText
	tree    render.PacketTree
	verbose bool
	dump    render.HexScope
}

func (v *textView) packet(b []byte, s *seen) []byte {
	if v.verbose {
		b = v.tree.AppendPacket(b, s.Packet, s.Findings)
		if len(s.Pairing) > 0 {
			b = append(append(append(b, "  pairing: "...), s.Pairing...), '\n')
		}
	} else {
		b = v.line.AppendPacket(b, s.Packet, s.Findings)
		if len(s.Pairing) > 0 {
			b = append(append(append(b[:len(b)-1], " ["...), s.Pairing...), "]\n"...)
		}
	}
	if v.dump != render.HexNone {
		b = render.AppendHex(b, s.Packet, v.dump)
	}
	return b
}

func (v *textView) end(b []byte) []byte { return b }

// A pairer pairs requests and answers, and counts.
type pairer struct {
	tracker *conversation.Tracker
	text    render.CaptureStatsText
	capture *capture
	show    bool // each packet's part
	stats   bool // the statistics at the end
	words   []byte
}

func (s *decodeSession) newPairer() *pairer {
	p := &pairer{capture: &s.capture, show: s.asked.pair, stats: s.asked.stats, text: render.CaptureStatsText{Name: s.names()}}
	p.tracker = conversation.New(conversation.Options{Sink: p.event})
	return p
}

// event keeps what is said about the packet at hand. What became of an earlier
// one without it is in the statistics.
func (p *pairer) event(e *conversation.Event) {
	if !p.show || e.Kind == conversation.Unanswered {
		return
	}
	if len(p.words) > 0 {
		p.words = append(p.words, ", "...)
	}
	p.words = render.AppendPairing(p.words, e)
}

func (p *pairer) packet(b []byte, s *seen) []byte {
	p.words = p.words[:0]
	p.tracker.Add(s.Packet)
	s.Pairing = p.words
	return b
}

func (p *pairer) begin(b []byte, _ *sourceInfo) []byte { return b }

// shut ends a source: what waits for an answer will not find it in the next.
func (p *pairer) shut(b []byte, _ *render.CaptureTally, _ []string) []byte {
	p.tracker.Finish()
	return b
}

func (p *pairer) end(b []byte) []byte {
	if !p.stats {
		return b
	}
	p.tracker.Finish()
	return p.report(b)
}

func (p *pairer) report(b []byte) []byte {
	stats := p.tracker.Stats()
	return render.AppendReassembly(p.text.AppendStats(b, &stats), p.capture.reassembly())
}

// A jsonView prints packets, pairs and the account of each source for programs.
type jsonView struct {
	json    render.PacketJSON
	tracker *conversation.Tracker
	pairs   []byte
	drops   func() int64
	filter  string
	hosts   bool
}

func (s *decodeSession) newJSONView() *jsonView {
	v := &jsonView{
		json: render.PacketJSON{Raw: !s.asked.noRaw}, drops: s.drops, hosts: s.asked.stats, filter: s.asked.filter,
	}
	v.reset()
	return v
}

// reset begins to pair anew.
func (v *jsonView) reset() {
	v.tracker = conversation.New(conversation.Options{Sink: func(e *conversation.Event) { v.pairs = v.json.AppendPair(v.pairs, e) }})
}

func (v *jsonView) begin(b []byte, src *sourceInfo) []byte {
	v.reset()
	start := render.CaptureStart{Command: "decode", Files: []string{src.name}, Link: src.link, Linked: src.linked, Filter: v.filter}
	if src.live {
		start.Command, start.Files, start.Iface = "listen", nil, src.name
	}
	return v.json.AppendStart(b, &start, time.Now())
}

func (v *jsonView) packet(b []byte, s *seen) []byte {
	b = v.json.AppendPacket(b, s.Packet, s.Findings)
	v.tracker.Add(s.Packet)
	return v.flushPairs(b)
}

// flushPairs appends the pairs that were found.
func (v *jsonView) flushPairs(b []byte) []byte {
	b = append(b, v.pairs...)
	v.pairs = v.pairs[:0]
	return b
}

func (v *jsonView) shut(b []byte, tally *render.CaptureTally, damage []string) []byte {
	v.tracker.Finish()
	b = v.flushPairs(b)
	stats := v.tracker.Stats()
	sum := render.CaptureSummary{Tally: *tally, OwnDrops: -1, Stats: &stats, Hosts: v.hosts, Damage: damage}
	if v.drops != nil {
		sum.OwnDrops = v.drops()
	}
	return v.json.AppendSummary(b, &sum)
}

func (v *jsonView) end(b []byte) []byte { return b }

// An extractView rebuilds what travels in payloads, and says which files came
// of it.
type extractView struct {
	session *decodeSession
	err     error
}

func (v *extractView) packet(b []byte, s *seen) []byte {
	if v.err == nil {
		v.err = v.session.extractor.Add(s.Packet)
	}
	return v.tell(b)
}

func (v *extractView) end(b []byte) []byte {
	if err := v.session.extractor.Close(); v.err == nil {
		v.err = err
	}
	return v.tell(b)
}

func (v *extractView) close() error { return v.err }

// tell appends the files that were written.
func (v *extractView) tell(b []byte) []byte {
	list := v.session.extracted
	for i := range list {
		b = appendExtracted(b, v.session.asked.json, &list[i])
	}
	v.session.extracted = list[:0]
	return b
}

func appendExtracted(b []byte, json bool, f *extract.File) []byte {
	if json {
		var j render.PacketJSON
		return j.AppendExtract(b, f)
	}
	return render.AppendExtracted(b, f)
}
