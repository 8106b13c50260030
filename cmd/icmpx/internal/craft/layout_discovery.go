package craft

import (
	"slices"

	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

var ndSolicitLayout = layout{
	fields:  [][]string{optionFields},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.NDRouterSolicitation{Options: s.Options} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.NDRouterSolicitation)
		if ok {
			s.Options = p.Options
		}
		return ok
	},
}

var ndAdvertLayout = layout{
	fields: [][]string{{"hop-limit", "flags", "preference", "lifetime", "reachable", "retransmit"}, optionFields},
	flags:  FlagManaged | FlagOther | FlagHomeAgent | FlagProxy,
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.NDRouterAdvertisement{
			HopLimit: s.HopLimit, Preference: s.Preference, Lifetime: s.Lifetime,
			Managed: s.Flags.has(FlagManaged), Other: s.Flags.has(FlagOther),
			HomeAgent: s.Flags.has(FlagHomeAgent), Proxy: s.Flags.has(FlagProxy),
			Reachable: s.Reachable, Retransmit: s.Retransmit, Options: s.Options,
		}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.NDRouterAdvertisement)
		if ok {
			s.HopLimit, s.Preference, s.Lifetime = p.HopLimit, p.Preference, p.Lifetime
			s.Reachable, s.Retransmit, s.Options = p.Reachable, p.Retransmit, p.Options
			s.Flags = FlagManaged.when(p.Managed) | FlagOther.when(p.Other) |
				FlagHomeAgent.when(p.HomeAgent) | FlagProxy.when(p.Proxy)
		}
		return ok
	},
}

var neighborSolicitLayout = layout{
	fields: [][]string{{"target"}, optionFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.NeighborSolicitation{Target: s.Target, Options: s.Options}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.NeighborSolicitation)
		if ok {
			s.Target, s.Options = p.Target, p.Options
		}
		return ok
	},
}

var neighborAdvertLayout = layout{
	fields: [][]string{{"target", "flags"}, optionFields},
	flags:  FlagRouter | FlagSolicited | FlagOverride,
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.NeighborAdvertisement{
			Target: s.Target, Options: s.Options, Router: s.Flags.has(FlagRouter),
			Solicited: s.Flags.has(FlagSolicited), Override: s.Flags.has(FlagOverride),
		}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.NeighborAdvertisement)
		if ok {
			s.Target, s.Options = p.Target, p.Options
			s.Flags = FlagRouter.when(p.Router) | FlagSolicited.when(p.Solicited) | FlagOverride.when(p.Override)
		}
		return ok
	},
}

// ndRedirectLayout has the quoted packet in an option, which is the last.
var ndRedirectLayout = layout{
	fields: [][]string{{"target", "destination"}, quoteFields, optionFields},
	marshal: func(s *Fields) icmp.MessageBody {
		options := s.Options
		if s.Quote != nil {
			options = append(slices.Clone(options), &icmpx.NDRedirected{Data: s.Quote})
		}
		return &icmpx.NDRedirect{Target: s.Target, Destination: s.Destination, Options: options}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.NDRedirect)
		if !ok {
			return false
		}
		s.Target, s.Destination, s.Options = p.Target, p.Destination, p.Options
		if n := len(p.Options); n > 0 {
			if r, ok := p.Options[n-1].(*icmpx.NDRedirected); ok && r.Data != nil {
				s.Options, s.Quote = p.Options[:n-1], r.Data
			}
		}
		return true
	},
}

var inverseLayout = layout{
	fields:  [][]string{optionFields},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.InverseNeighbor{Options: s.Options} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.InverseNeighbor)
		if ok {
			s.Options = p.Options
		}
		return ok
	},
}

// mldLayout is that of version 1. A query of version 2 is left as it is.
var mldLayout = layout{
	fields:  [][]string{{"group", "max-delay"}},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.MLD{MaxDelay: s.MaxDelay, Group: s.Group} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.MLD)
		if ok {
			s.MaxDelay, s.Group = p.MaxDelay, p.Group
		}
		return ok
	},
}

var mldReportLayout = layout{
	fields:  [][]string{{"record"}},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.MLDv2Report{Records: s.Records} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.MLDv2Report)
		if ok {
			s.Records = p.Records
		}
		return ok
	},
}
