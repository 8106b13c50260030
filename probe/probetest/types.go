package probetest

import "github.com/icmpx/icmpx/icmpx"

// ICMP types, RFC 792 and RFC 4443.
const (
	unreachable4, quench4, redirect4, exceeded4, problem4 = 3, 4, 5, 11, 12
	unreachable6, tooBig6, exceeded6, problem6            = 1, 2, 3, 4
)

func timeExceededError(f icmpx.Family) Error {
	return byFamily(f, Error{exceeded4, 0}, Error{exceeded6, 0})
}

func tooBigError(f icmpx.Family) Error {
	return byFamily(f, Error{unreachable4, 4}, Error{tooBig6, 0})
}

func portError(f icmpx.Family) Error {
	return byFamily(f, Error{unreachable4, 3}, Error{unreachable6, 4})
}

func byFamily[T any](f icmpx.Family, v4, v6 T) T {
	if f == icmpx.IPv6 {
		return v6
	}
	return v4
}

// kindOf says what an error means; KindUnknown if it is none.
func kindOf(f icmpx.Family, e Error) icmpx.Kind {
	if f == icmpx.IPv6 {
		return kindOf6(e.Type)
	}
	switch e.Type {
	case unreachable4:
		if e.Code == 4 {
			return icmpx.KindTooBig
		}
		return icmpx.KindUnreachable
	case quench4:
		return icmpx.KindSourceQuench
	case redirect4:
		return icmpx.KindRedirect
	case exceeded4:
		return icmpx.KindTimeExceeded
	case problem4:
		return icmpx.KindParamProblem
	}
	return icmpx.KindUnknown
}

func kindOf6(typ uint8) icmpx.Kind {
	switch typ {
	case unreachable6:
		return icmpx.KindUnreachable
	case tooBig6:
		return icmpx.KindTooBig
	case exceeded6:
		return icmpx.KindTimeExceeded
	case problem6:
		return icmpx.KindParamProblem
	}
	return icmpx.KindUnknown
}

// requestType is the ICMP type of a probe.
func requestType(p icmpx.Proto, f icmpx.Family) uint8 {
	switch p {
	case icmpx.ProtoTimestamp:
		return 13
	case icmpx.ProtoInformation:
		return 15
	case icmpx.ProtoMask:
		return 17
	case icmpx.ProtoExtEcho:
		return byFamily[uint8](f, 42, 160)
	}
	return byFamily[uint8](f, 8, 128)
}

// answerType is the ICMP type of a direct answer; 0 if it is not ICMP.
func answerType(k icmpx.Kind, f icmpx.Family) uint8 {
	switch k {
	case icmpx.KindEchoReply:
		return byFamily[uint8](f, 0, 129)
	case icmpx.KindTimestampReply:
		return 14
	case icmpx.KindInformationReply:
		return 16
	case icmpx.KindMaskReply:
		return 18
	case icmpx.KindExtEchoReply:
		return byFamily[uint8](f, 43, 161)
	}
	return 0
}
