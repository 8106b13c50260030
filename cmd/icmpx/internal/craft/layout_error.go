package craft

import (
	"github.com/icmpx/icmpx/icmpx"
	"golang.org/x/net/icmp"
)

var unreachableLayout = layout{
	fields: [][]string{quoteFields, extFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.Unreachable{Data: s.Quote, Extensions: s.Extensions, Form: s.Form}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.Unreachable)
		if ok {
			s.quoted(p.Data, p.Extensions, p.Form)
		}
		return ok
	},
}

func (s *Fields) quoted(data []byte, exts []icmp.Extension, form icmpx.Form) {
	s.Quote, s.Extensions, s.Form = data, exts, form
}

var fragNeededLayout = layout{
	fields: [][]string{{"mtu"}, quoteFields, extFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.FragNeeded{MTU: uint16(s.MTU), Data: s.Quote, Extensions: s.Extensions, Form: s.Form}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.FragNeeded)
		if ok {
			s.MTU = uint32(p.MTU)
			s.quoted(p.Data, p.Extensions, p.Form)
		}
		return ok
	},
}

var tooBigLayout = layout{
	fields: [][]string{{"mtu"}, quoteFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmp.PacketTooBig{MTU: int(s.MTU), Data: s.Quote}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmp.PacketTooBig)
		if ok {
			s.MTU, s.Quote = uint32(p.MTU), p.Data
		}
		return ok
	},
}

var quenchLayout = layout{
	fields:  [][]string{quoteFields},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.SourceQuench{Data: s.Quote} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.SourceQuench)
		if ok {
			s.Quote = p.Data
		}
		return ok
	},
}

var redirectLayout = layout{
	fields:  [][]string{{"gateway"}, quoteFields},
	marshal: func(s *Fields) icmp.MessageBody { return &icmpx.Redirect{Gateway: s.Gateway, Data: s.Quote} },
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.Redirect)
		if ok {
			s.Gateway, s.Quote = p.Gateway, p.Data
		}
		return ok
	},
}

var exceededLayout = layout{
	fields: [][]string{quoteFields, extFields},
	marshal: func(s *Fields) icmp.MessageBody {
		return &icmpx.TimeExceeded{Data: s.Quote, Extensions: s.Extensions, Form: s.Form}
	},
	read: func(s *Fields, b icmp.MessageBody) bool {
		p, ok := b.(*icmpx.TimeExceeded)
		if ok {
			s.quoted(p.Data, p.Extensions, p.Form)
		}
		return ok
	},
}

var (
	problem4Layout = layout{
		fields:  [][]string{{"pointer"}, quoteFields, extFields},
		marshal: marshalProblem, read: readProblem,
	}
	problem6Layout = layout{
		fields:  [][]string{{"pointer"}, quoteFields},
		marshal: marshalProblem, read: readProblem,
	}
)

func marshalProblem(s *Fields) icmp.MessageBody {
	return &icmpx.ParamProblem{Pointer: s.Pointer, Data: s.Quote, Extensions: s.Extensions, Form: s.Form}
}

func readProblem(s *Fields, b icmp.MessageBody) bool {
	p, ok := b.(*icmpx.ParamProblem)
	if ok {
		s.Pointer = p.Pointer
		s.quoted(p.Data, p.Extensions, p.Form)
	}
	return ok
}
