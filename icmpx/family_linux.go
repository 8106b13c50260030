package icmpx

import "golang.org/x/sys/unix"

// sockNumbers are the numbers by which Linux knows the same thing in the two
// families (linux/in.h, linux/in6.h, linux/errqueue.h).
type sockNumbers struct {
	domain int
	level  int // of the options and of the ancillary data

	ttl, multicastTTL, multicastLoop              int // options that shape what is sent
	tos, mtuDiscover                              int
	recvTTL, recvTOS, recvInfo, recvFrag          int // options that ask for ancillary data
	recvErr, recvErrExt                           int // options of the error queue
	ttlData, tosData, infoData, fragData, errData int // types of the ancillary data
	errOrigin                                     uint8
	filterLevel, filterOption                     int // ICMP type filter of raw sockets
	mtuModes                                      [DFProbe + 1]int
}

var sockTable = [2]sockNumbers{
	{
		domain: unix.AF_INET, level: unix.SOL_IP,
		ttl: unix.IP_TTL, multicastTTL: unix.IP_MULTICAST_TTL, multicastLoop: unix.IP_MULTICAST_LOOP,
		tos: unix.IP_TOS, mtuDiscover: unix.IP_MTU_DISCOVER,
		recvTTL: unix.IP_RECVTTL, recvTOS: unix.IP_RECVTOS, recvInfo: unix.IP_PKTINFO, recvFrag: unix.IP_RECVFRAGSIZE,
		recvErr: unix.IP_RECVERR, recvErrExt: unix.IP_RECVERR_RFC4884,
		ttlData: unix.IP_TTL, tosData: unix.IP_TOS, infoData: unix.IP_PKTINFO, fragData: unix.IP_RECVFRAGSIZE, errData: unix.IP_RECVERR,
		errOrigin:   unix.SO_EE_ORIGIN_ICMP,
		filterLevel: unix.SOL_RAW, filterOption: unix.ICMP_FILTER,
		mtuModes: [...]int{DFSystem: unix.IP_PMTUDISC_WANT, DFClear: unix.IP_PMTUDISC_DONT, DFSet: unix.IP_PMTUDISC_DO, DFProbe: unix.IP_PMTUDISC_PROBE},
	},
	{
		domain: unix.AF_INET6, level: unix.SOL_IPV6,
		ttl: unix.IPV6_UNICAST_HOPS, multicastTTL: unix.IPV6_MULTICAST_HOPS, multicastLoop: unix.IPV6_MULTICAST_LOOP,
		tos: unix.IPV6_TCLASS, mtuDiscover: unix.IPV6_MTU_DISCOVER,
		recvTTL: unix.IPV6_RECVHOPLIMIT, recvTOS: unix.IPV6_RECVTCLASS, recvInfo: unix.IPV6_RECVPKTINFO, recvFrag: unix.IPV6_RECVFRAGSIZE,
		recvErr: unix.IPV6_RECVERR, recvErrExt: unix.IPV6_RECVERR_RFC4884,
		ttlData: unix.IPV6_HOPLIMIT, tosData: unix.IPV6_TCLASS, infoData: unix.IPV6_PKTINFO, fragData: unix.IPV6_RECVFRAGSIZE, errData: unix.IPV6_RECVERR,
		errOrigin:   unix.SO_EE_ORIGIN_ICMP6,
		filterLevel: unix.SOL_ICMPV6, filterOption: unix.ICMPV6_FILTER,
		mtuModes: [...]int{DFSystem: unix.IPV6_PMTUDISC_WANT, DFClear: unix.IPV6_PMTUDISC_DONT, DFSet: unix.IPV6_PMTUDISC_DO, DFProbe: unix.IPV6_PMTUDISC_PROBE},
	},
}

func (f Family) sock() *sockNumbers {
	if f == IPv6 {
		return &sockTable[1]
	}
	return &sockTable[0]
}
