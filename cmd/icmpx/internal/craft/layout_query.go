package craft

import (
	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

var echoLayout = layout{
	fields: [][]string{queryFields, dataFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmp.Echo{ID: int(s.ID), Seq: int(s.Seq), Data: s.Data}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmp.Echo)
		if ok {
			s.ID, s.Seq, s.Data = uint16(p.ID), uint16(p.Seq), p.Data
		}
		return ok
	},
}

var timestampLayout = layout{
	fields: [][]string{queryFields, {"originate", "receive", "transmit"}},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.Timestamp{ID: s.ID, Seq: s.Seq, Originate: s.Originate, Receive: s.Receive, Transmit: s.Transmit}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.Timestamp)
		if ok {
			s.ID, s.Seq, s.Originate, s.Receive, s.Transmit = p.ID, p.Seq, p.Originate, p.Receive, p.Transmit
		}
		return ok
	},
}

var informationLayout = layout{
	fields:  [][]string{queryFields},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.Information{ID: s.ID, Seq: s.Seq} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.Information)
		if ok {
			s.ID, s.Seq = p.ID, p.Seq
		}
		return ok
	},
}

var maskLayout = layout{
	fields:  [][]string{queryFields, {"mask"}},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.AddressMask{ID: s.ID, Seq: s.Seq, Mask: s.Mask} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.AddressMask)
		if ok {
			s.ID, s.Seq, s.Mask = p.ID, p.Seq, p.Mask
		}
		return ok
	},
}

// extRequestLayout is that of an extended echo request, whose sequence number
// has 8 bits: Marshal of a Message refuses more.
var extRequestLayout = layout{
	fields: [][]string{queryFields, {"flags"}, ifaceFields, {"extension"}},
	flags:  FlagLocal | FlagNoChecksum,
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.ExtEchoRequest{
			ID: s.ID, Seq: uint8(s.Seq), Local: s.Flags.has(FlagLocal),
			Extensions: s.Extensions, NoChecksum: s.Flags.has(FlagNoChecksum),
		}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.ExtEchoRequest)
		if ok {
			s.ID, s.Seq, s.Extensions = p.ID, uint16(p.Seq), p.Extensions
			s.Flags = FlagLocal.when(p.Local) | FlagNoChecksum.when(p.NoChecksum)
		}
		return ok
	},
}

var extReplyLayout = layout{
	fields: [][]string{queryFields, {"flags", "state"}, dataFields},
	flags:  FlagActive | FlagIPv4 | FlagIPv6,
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.ExtEchoReply{
			ID: s.ID, Seq: uint8(s.Seq), State: s.State, Data: s.Data,
			Active: s.Flags.has(FlagActive), IPv4: s.Flags.has(FlagIPv4), IPv6: s.Flags.has(FlagIPv6),
		}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.ExtEchoReply)
		if ok {
			s.ID, s.Seq, s.State, s.Data = p.ID, uint16(p.Seq), p.State, p.Data
			s.Flags = FlagActive.when(p.Active) | FlagIPv4.when(p.IPv4) | FlagIPv6.when(p.IPv6)
		}
		return ok
	},
}

var routersLayout = layout{
	fields: [][]string{{"lifetime", "router"}, dataFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.RouterAdvertisement{Lifetime: s.Lifetime, Routers: s.Routers, Extra: s.Data}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.RouterAdvertisement)
		if ok {
			s.Lifetime, s.Routers, s.Data = p.Lifetime, p.Routers, p.Extra
		}
		return ok
	},
}

var routerSolicitLayout = layout{
	marshal: func(*Fields) icmp.MessageBody { return &icmpx.RouterSolicitation{} },
	read: func(_ *Fields, b icmp.MessageBody) bool {
		_, ok := b.(*icmpx.RouterSolicitation)
		return ok
	},
}
