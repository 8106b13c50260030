package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/icmp"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
)

// queryWords are the words of --type.
var queryWords = [...]string{
	icmpx.ProtoEcho: "echo", icmpx.ProtoTimestamp: "timestamp", icmpx.ProtoInformation: "information",
	icmpx.ProtoMask: "mask", icmpx.ProtoExtEcho: "ext-echo",
}

// A timestampNow is the body of a timestamp request whose originate time is that
// of its making.
type timestampNow struct{ icmpx.Timestamp }

// Marshal implements icmp.MessageBody.
func (t *timestampNow) Marshal(proto int) ([]byte, error) {
	now := t.Timestamp
	now.Originate = sinceMidnight(time.Now())
	return now.Marshal(proto)
}

// readQuery reads what is asked instead of echo.
func (r *pingRun) readQuery(v *valueReader) {
	switch i := v.choice("type", queryWords[:]...); {
	case i > 0:
		r.opts.Query = icmpx.Proto(i)
	default:
		return
	}
	switch r.opts.Query {
	case icmpx.ProtoTimestamp:
		r.opts.Body = new(timestampNow)
	case icmpx.ProtoInformation:
		r.opts.Body = new(icmpx.Information)
	case icmpx.ProtoMask:
		r.opts.Body = new(icmpx.AddressMask)
	case icmpx.ProtoExtEcho:
		ident := v.interfaceIdent()
		if ident == nil {
			v.refuse(errors.New("--type ext-echo needs --iface-name, --iface-index or --iface-addr: the interface that is asked about"))
			return
		}
		// What has a name or an index is the node's own; an address may be a
		// neighbour's, and is asked about as an interface first.
		r.opts.Body = &icmpx.ExtEchoRequest{Local: true, Extensions: []icmp.Extension{ident}}
	}
	if r.opts.Query != icmpx.ProtoExtEcho {
		r.socket.Mode = icmpx.ModeRaw // Linux lets nobody else send them
	}
}

// checkQuery holds what does not go with the queries that have no payload.
func (r *pingRun) checkQuery(line *getopt.Line) error {
	if r.opts.Query != icmpx.ProtoExtEcho {
		for _, name := range []string{"iface-name", "iface-index", "iface-addr"} {
			if line.Has(name) {
				return fmt.Errorf("--%s is for --type ext-echo", name)
			}
		}
	}
	if r.opts.Query == icmpx.ProtoEcho {
		return nil
	}
	for _, l := range []limit{
		{"-s", line.Has("size")}, {"-p", line.Has("pattern")}, {"--payload", r.file.name != ""}, {"-C", r.connect},
	} {
		if l.asked {
			return fmt.Errorf("%s does not go with --type %s, which has no payload", l.flag, queryWords[r.opts.Query])
		}
	}
	if r.opts.Query != icmpx.ProtoExtEcho {
		if r.family == icmpx.IPv6 {
			return fmt.Errorf("--type %s is for IPv4 only", queryWords[r.opts.Query])
		}
		r.family = icmpx.IPv4
	}
	return nil
}

// hintedQuery says what would help against the want of a socket for a query that
// takes a raw one.
func (r *pingRun) hintedQuery(err error) error {
	var denied *icmpx.PrivilegeError
	if r.opts.Query == icmpx.ProtoEcho || r.socket.Mode != icmpx.ModeRaw || !errors.As(err, &denied) {
		return err
	}
	return &hintedError{err: err, hint: "a " + queryWords[r.opts.Query] + " request takes CAP_NET_RAW: " + grantHint("cap_net_raw")}
}

// queryHints say of queries why they often get no answer.
var queryHints = [...]string{
	icmpx.ProtoTimestamp:   "packet filters often drop timestamp requests; an echo request may be answered",
	icmpx.ProtoInformation: "Linux and most others do not answer information requests, which are deprecated (RFC 6918)",
	icmpx.ProtoMask:        "Linux does not answer address mask requests, which are deprecated (RFC 6918); some routers do",
	icmpx.ProtoExtEcho:     "few hosts answer extended echo requests: Linux from 5.13 on, with net.ipv4.icmp_echo_enable_probe=1, for IPv6 as well",
}

// timestampNote says what the times of timestamp replies are worth.
const timestampNote = "icmpx: there and back are differences of two clocks, of whole milliseconds: as right as the clocks agree; " +
	"clock is how far the other is ahead, if both ways took as long\n"

// explainQuery says on standard error, at the end, what the answers to a query
// are worth, or why there may be none.
func (s *pingSession) explainQuery() {
	query := s.asked.opts.Query
	if query == icmpx.ProtoEcho || s.asked.quiet {
		return
	}
	answered, silent := false, false
	for _, h := range s.hosts {
		answered = answered || h.started && h.account.Received > 0
		silent = silent || h.started && h.err == nil && h.account.Sent > 0 && h.account.Received == 0 && h.account.Errors == 0
	}
	var b []byte
	if answered && query == icmpx.ProtoTimestamp && !s.asked.json {
		b = append(b, timestampNote...)
	}
	if silent {
		b = appendHint(b, queryHints[query])
	}
	_, _ = s.sys.stderr.Write(b) // behind the summaries; nothing better is left to say it
}
