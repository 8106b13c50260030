package render

import (
	"strconv"
	"time"

	"github.com/icmpx/icmpx/internal/owner"
)

// AppendOwner appends who sent a packet, in brackets: "[sent by ping 1234]".
func AppendOwner(b []byte, o *owner.Owner) []byte {
	switch o.State {
	case owner.Found:
		b = appendProcesses(append(b, "[sent by "...), o.Processes, " or ")
	case owner.Candidates:
		b = appendProcesses(append(b, "[perhaps sent by "...), o.Processes, " or ")
	case owner.Ended:
		b = append(b, "[sender has ended"...)
	case owner.Hidden:
		b = append(b, "[sender is a hidden process of uid "...)
		b = strconv.AppendUint(b, uint64(o.UID), 10)
	default:
		b = append(b, "[sender was not looked up"...)
	}
	return append(b, ']')
}

// appendProcesses appends "ping 1234", and others behind a word.
func appendProcesses(b []byte, list []owner.Process, between string) []byte {
	for i, p := range list {
		if i > 0 {
			b = append(b, between...)
		}
		b = append(AppendSafe(b, p.Command), ' ')
		b = strconv.AppendInt(b, int64(p.PID), 10)
	}
	return b
}

// AppendOwnerJSON appends who sent the packet of a frame as an event.
func AppendOwnerJSON(b []byte, frame int, o *owner.Owner) []byte {
	j := begin(b)
	j.str("event", "process")
	j.int("frame", int64(frame))
	j.str("state", o.State.String())
	if o.Kind != 0 {
		j.str("socket", ownerWord(o.Kind))
		j.int("uid", int64(o.UID))
	}
	j.processes(o.Processes)
	return j.line()
}

// ownerWord is a kind of socket by the words that other events have.
func ownerWord(k owner.Kind) string {
	if k == owner.Ping {
		return "datagram"
	}
	return "raw"
}

func (o *object) processes(list []owner.Process) {
	o.key("processes")
	o.b = append(o.b, '[')
	for i, p := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		j := begin(o.b)
		j.int("pid", int64(p.PID))
		j.str("command", p.Command)
		o.b = j.end()
	}
	o.b = append(o.b, ']')
}

// AppendSocketsJSON appends all ICMP sockets of a host as events.
func AppendSocketsJSON(b []byte, h *owner.Host, at time.Time) []byte {
	o := begin(b)
	o.str("event", "start")
	o.int("schema", Schema)
	o.str("command", "listen")
	o.time("time", at)
	b = o.line()
	for i := range h.Rows {
		b = appendSocketJSON(b, &h.Rows[i])
	}
	o = begin(b)
	o.str("event", "summary")
	o.int("sockets", int64(len(h.Rows)))
	o.int("hidden", int64(h.Hidden))
	return o.line()
}

func appendSocketJSON(b []byte, r *owner.Row) []byte {
	o := begin(b)
	o.str("event", "socket")
	o.str("family", map[bool]string{false: "ipv4", true: "ipv6"}[r.V6])
	o.str("socket", ownerWord(r.Kind))
	if r.Kind == owner.Ping {
		o.int("id", int64(r.ID))
	} else {
		o.int("protocol", int64(r.Protocol))
	}
	o.addr("local", r.Local)
	o.addr("remote", r.Remote)
	o.int("uid", int64(r.UID))
	o.int("inode", int64(r.Inode))
	o.int("netns", int64(r.Namespace))
	o.processes(r.Processes)
	return o.line()
}

// AppendSockets appends all ICMP sockets of a host as a table.
func AppendSockets(b []byte, h *owner.Host) []byte {
	rows := [][]string{{"FAMILY", "SOCKET", "ID", "LOCAL", "REMOTE", "UID", "NETNS", "PROCESS"}}
	for i := range h.Rows {
		rows = append(rows, socketRow(&h.Rows[i], h.Hidden > 0))
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			b = append(b, cell...)
			for n := len(cell); i < len(row)-1 && n < widths[i]+2; n++ {
				b = append(b, ' ')
			}
		}
		b = append(b, '\n')
	}
	return b
}

// socketRow is a row of the table. A raw socket has no identifier.
func socketRow(r *owner.Row, hidden bool) []string {
	id, process := "*", "none"
	if r.Kind == owner.Ping && r.ID != 0 {
		id = strconv.Itoa(int(r.ID))
	}
	switch {
	case len(r.Processes) > 0:
		process = string(appendProcesses(nil, r.Processes, ", "))
	case hidden:
		process = "hidden"
	}
	local, remote := "*", "*"
	if r.Local.IsValid() {
		local = r.Local.String()
	}
	if r.Remote.IsValid() {
		remote = r.Remote.String()
	}
	family := "IPv4"
	if r.V6 {
		family = "IPv6"
	}
	kind := r.Kind.String()
	if r.Protocol == 255 { // IPPROTO_RAW
		kind = "raw, sends only"
	}
	return []string{family, kind, id, local, remote, strconv.FormatUint(uint64(r.UID), 10), strconv.FormatUint(r.Namespace, 10), process}
}
