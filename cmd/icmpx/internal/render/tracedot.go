package render

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/icmpx/icmpx/trace"
)

// A TraceDot draws the path of a trace for graphviz: a node for each router of
// each TTL, and an edge where one probe of a round found the one router and the
// next TTL's the other. Where several routers share the load an edge is dashed:
// that the two follow one upon the other is likely, not certain.
type TraceDot struct {
	Name func(netip.Addr) string // the name of an address, "" if there is none; nil: nobody asked
	AS   func(netip.Addr) string // the systems that announce it; nil: nobody asked
}

// A dotNode is one router at one TTL, or the silence there.
type dotNode struct {
	id   int
	ttl  int        // 0: this host
	addr netip.Addr // zero: silence
	rtt  time.Duration
	mark string // traceroute's mark
	end  bool   // the destination
}

// AppendGraph appends the whole graph.
func (t *TraceDot) AppendGraph(b []byte, h *TraceHost, res *trace.Result) []byte {
	b = append(b, "digraph trace {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n"...)
	b = append(appendDotText(append(b, "  label=\""...), "icmpx trace "+h.Name+", "+h.Method.String()), "\";\n"...)
	g := &dotGraph{}
	start := g.node(0, netip.Addr{})
	b = append(b, "  n0 [label=\"this host\", shape=ellipse];\n"...)
	before := []*dotNode{start}
	for i := range res.Rows {
		row := &res.Rows[i]
		if row.Dark {
			break
		}
		now := g.row(row, res)
		for _, n := range g.fresh {
			b = t.appendNode(b, n)
		}
		b = appendEdges(b, before, now)
		before = now
	}
	return append(b, "}\n"...)
}

// A dotGraph hands out nodes.
type dotGraph struct {
	next  int
	fresh []*dotNode // of the last row
}

func (g *dotGraph) node(ttl int, a netip.Addr) *dotNode {
	n := &dotNode{id: g.next, ttl: ttl, addr: a}
	g.next++
	g.fresh = append(g.fresh, n)
	return n
}

// row makes the nodes of a row and returns that of each of its probes. What was
// not answered has a node of its own only if the whole row was silent.
func (g *dotGraph) row(row *trace.Row, res *trace.Result) []*dotNode {
	g.fresh = nil
	list := make([]*dotNode, len(row.Probes))
	for i := range row.Probes {
		p := &row.Probes[i]
		if p.State != trace.Answered {
			continue
		}
		list[i] = g.find(row.TTL, p.From)
		if list[i].rtt == 0 || p.RTT < list[i].rtt {
			list[i].rtt = p.RTT
		}
		list[i].end = row.End && res.Reached
		if m := string(appendTraceMark(nil, p)); m != "" {
			list[i].mark = m
		}
	}
	if len(g.fresh) == 0 {
		return []*dotNode{g.node(row.TTL, netip.Addr{})}
	}
	return list
}

func (g *dotGraph) find(ttl int, a netip.Addr) *dotNode {
	for _, n := range g.fresh {
		if n.addr == a {
			return n
		}
	}
	return g.node(ttl, a)
}

func (t *TraceDot) appendNode(b []byte, n *dotNode) []byte {
	b = strconv.AppendInt(append(b, "  n"...), int64(n.id), 10)
	b = strconv.AppendInt(append(b, " [label=\""...), int64(n.ttl), 10)
	if !n.addr.IsValid() {
		return append(b, ` *", style=dashed];`+"\n"...)
	}
	b = append(b, "  "...)
	if t.Name != nil {
		if name := t.Name(n.addr); name != "" {
			b = append(appendDotSafe(b, AppendName(nil, name)), `\n`...)
		}
	}
	b = appendDotSafe(b, AppendAddr(nil, n.addr))
	if t.AS != nil {
		b = appendDotSafe(b, appendAS(nil, t.AS(n.addr)))
	}
	b = appendTraceTime(append(b, `\n`...), n.rtt)
	b = append(appendDotSafe(b, []byte(n.mark)), '"')
	switch {
	case n.end:
		b = append(b, ", shape=ellipse"...)
	case n.mark != "":
		b = append(b, ", color=red"...)
	}
	return append(b, "];\n"...)
}

// appendEdges appends the edges between two rows, each once: from the router
// that a round found to the one that it found next. A router whose round was not
// answered before has an edge from all.
func appendEdges(b []byte, from, to []*dotNode) []byte {
	style := ""
	if several(from) || several(to) {
		style = " [style=dashed]"
	}
	type edge struct{ from, to int }
	done := map[edge]bool{}
	reached := map[int]bool{}
	draw := func(x, y *dotNode) {
		if x == nil || y == nil || done[edge{x.id, y.id}] {
			return
		}
		done[edge{x.id, y.id}], reached[y.id] = true, true
		b = strconv.AppendInt(append(b, "  n"...), int64(x.id), 10)
		b = strconv.AppendInt(append(b, " -> n"...), int64(y.id), 10)
		b = append(append(b, style...), ";\n"...)
	}
	for i := range max(len(from), len(to)) {
		draw(of(from, i), of(to, i))
	}
	for _, y := range to {
		if y == nil || reached[y.id] {
			continue
		}
		for _, x := range from {
			draw(x, y)
		}
	}
	return b
}

// of returns the node of a round; of a row that is one node, that.
func of(row []*dotNode, i int) *dotNode {
	if !several(row) {
		for _, n := range row {
			if n != nil {
				return n
			}
		}
	}
	if i < len(row) {
		return row[i]
	}
	return nil
}

// several reports whether a row has more than one node.
func several(row []*dotNode) bool {
	var first *dotNode
	for _, n := range row {
		if n != nil && first == nil {
			first = n
		}
		if n != nil && n != first {
			return true
		}
	}
	return false
}

// appendDotText appends text for the inside of a quoted string of graphviz,
// which a terminal obeys none of.
func appendDotText(b []byte, s string) []byte { return appendDotSafe(b, AppendSafe(nil, s)) }

// appendDotSafe appends what is safe for a terminal already.
func appendDotSafe(b, safe []byte) []byte {
	for _, c := range safe {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}
