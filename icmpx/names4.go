package icmpx

// types4 are the types of ICMPv4 that IANA has assigned, in ascending order.
var types4 = [...]*TypeInfo{
	&echoReply4, &unreachable4, &sourceQuench4, &redirect4, &alternateHost4, &echoRequest4,
	&routerAdvert4, &routerSolicit4, &timeExceeded4, &paramProblem4,
	&timestamp4, &timestampReply4, &information4, &informationReply4, &mask4, &maskReply4,
	&traceroute4, &conversion4, &mobileRedirect4, &whereAreYou4, &iAmHere4, &registration4, &registrationReply4,
	&domain4, &domainReply4, &skip4, &photuris4, &mobility4,
	&extEcho4, &extEchoReply4, &experimentOne4, &experimentTwo4,
}

// What most ICMPv4 messages quote.
const (
	quotesNothing = "Nothing: it is not about another packet."
	quotes4       = "The IP header of the packet that it is about and at least the 8 bytes behind it: ports, or identifier and sequence number. Routers may return more, up to 576 bytes in all (RFC 1812 section 4.3.2.3)."
)
