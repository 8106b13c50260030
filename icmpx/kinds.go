package icmpx

// ICMPv4 types (RFC 792, RFC 950, RFC 1256, RFC 8335).
const (
	v4EchoReply          = 0
	v4Unreachable        = 3
	v4SourceQuench       = 4
	v4Redirect           = 5
	v4EchoRequest        = 8
	v4RouterAdvert       = 9
	v4RouterSolicit      = 10
	v4TimeExceeded       = 11
	v4ParamProblem       = 12
	v4TimestampRequest   = 13
	v4TimestampReply     = 14
	v4InformationRequest = 15
	v4InformationReply   = 16
	v4MaskRequest        = 17
	v4MaskReply          = 18
	v4ExtEchoRequest     = 42
	v4ExtEchoReply       = 43

	codeFragNeeded = 4 // of v4Unreachable
	codeReassembly = 1 // of v4TimeExceeded
)

// ICMPv6 types (RFC 4443, RFC 2710, RFC 4861, RFC 3122, RFC 9777, RFC 8335).
const (
	v6Unreachable     = 1
	v6PacketTooBig    = 2
	v6TimeExceeded    = 3
	v6ParamProblem    = 4
	v6EchoRequest     = 128
	v6EchoReply       = 129
	v6MLDQuery        = 130
	v6MLDReport       = 131
	v6MLDDone         = 132
	v6RouterSolicit   = 133
	v6RouterAdvert    = 134
	v6NeighborSolicit = 135
	v6NeighborAdvert  = 136
	v6Redirect        = 137
	v6InverseSolicit  = 141
	v6InverseAdvert   = 142
	v6MLDv2Report     = 143
	v6ExtEchoRequest  = 160
	v6ExtEchoReply    = 161
)

// kindOf returns what a message of the given type and code answers;
// KindUnknown if it is no answer.
func kindOf(f Family, typ, code uint8) Kind {
	if f == IPv6 {
		return kindOf6(typ)
	}
	switch typ {
	case v4EchoReply:
		return KindEchoReply
	case v4Unreachable:
		if code == codeFragNeeded {
			return KindTooBig
		}
		return KindUnreachable
	case v4SourceQuench:
		return KindSourceQuench
	case v4Redirect:
		return KindRedirect
	case v4TimeExceeded:
		return KindTimeExceeded
	case v4ParamProblem:
		return KindParamProblem
	case v4TimestampReply:
		return KindTimestampReply
	case v4InformationReply:
		return KindInformationReply
	case v4MaskReply:
		return KindMaskReply
	case v4ExtEchoReply:
		return KindExtEchoReply
	}
	return KindUnknown
}

func kindOf6(typ uint8) Kind {
	switch typ {
	case v6Unreachable:
		return KindUnreachable
	case v6PacketTooBig:
		return KindTooBig
	case v6TimeExceeded:
		return KindTimeExceeded
	case v6ParamProblem:
		return KindParamProblem
	case v6EchoReply:
		return KindEchoReply
	case v6ExtEchoReply:
		return KindExtEchoReply
	}
	return KindUnknown
}

// A query says how a message carries its identifier and sequence number.
type query uint8

const (
	queryNone     query = iota // not at all
	queryPlain                 // 16 bits each, at bytes 4 and 6
	queryExtended              // RFC 8335: the sequence number is the byte 6
)

// queryOf returns how messages of a type carry identifier and sequence number.
func queryOf(f Family, typ uint8) query {
	if f == IPv6 {
		switch typ {
		case v6EchoRequest, v6EchoReply:
			return queryPlain
		case v6ExtEchoRequest, v6ExtEchoReply:
			return queryExtended
		}
		return queryNone
	}
	switch typ {
	case v4EchoReply, v4EchoRequest:
		return queryPlain
	case v4ExtEchoRequest, v4ExtEchoReply:
		return queryExtended
	}
	if typ >= v4TimestampRequest && typ <= v4MaskReply {
		return queryPlain
	}
	return queryNone
}

// isRequest reports whether a type is a query that asks for an answer.
func isRequest(f Family, typ uint8) bool {
	if f == IPv6 {
		return typ == v6EchoRequest || typ == v6ExtEchoRequest
	}
	switch typ {
	case v4EchoRequest, v4TimestampRequest, v4InformationRequest, v4MaskRequest, v4ExtEchoRequest:
		return true
	}
	return false
}

// extensible reports whether RFC 4884 lets an extension structure follow the
// quote of a message type.
func extensible(f Family, typ uint8) bool {
	if f == IPv6 {
		return typ == v6Unreachable || typ == v6TimeExceeded
	}
	return typ == v4Unreachable || typ == v4TimeExceeded || typ == v4ParamProblem
}
