package main

import (
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/filter"
	"github.com/icmpx/icmpx/internal/packet"
)

// liveFilter returns the filter of a command line twice: for packets, and as the
// program of the kernel that lets at least the same ones pass; all has it care
// for packets without ICMP too. Without text, and with all, there is none.
func liveFilter(text string, all bool) (func(*packet.Packet) bool, func(uint16) (icmpx.FilterProgram, error), error) {
	if text == "" && all {
		return nil, nil, nil
	}
	var f *filter.Filter // selects everything
	if text != "" {
		var err error
		if f, err = filter.Parse(text); err != nil {
			return nil, nil, err
		}
	}
	program := func(link uint16) (icmpx.FilterProgram, error) { return f.BPF(packet.LinkType(link), all) }
	return f.Match, program, nil
}
