package render

// notFrames are lines of the expectations that are no packets: tshark numbers
// a custom block of pcapng as a frame.
var notFrames = map[string][]int{"gen/fmt_pcapng_custom_block": {2}}

// A vectorException names keys of frames that differ from the expectation.
type vectorException struct {
	file   string // ends in .reassembled for that pass
	frames []int
	keys   string // with all below it, if it ends in .*
	reason string
}

// Reasons that several exceptions have.
const (
	asItStands    = "numbers of a header that cannot be are shown as they stand; tshark gives up on them"
	shortICMP     = "type and code are there from 2 bytes on; tshark shows nothing of less than 6"
	brokenOption  = "the type of a broken option is shown too"
	brokenObject  = "an object whose length cannot be is no object; its bytes are in data"
	notRebuilt    = "icmp reassembled_len fragments"
	replyHasExt   = "the extension that an extended echo reply returns is read too"
	zeroIsNoBytes = "the IP header leaves no room for ICMP, which is said"
	otherLinks    = "tags between Ethernet addresses and type are read; tshark 4.0 does not know these link types"
	noEnd         = "bytes that the IP header announces are missing; tshark takes the rest for the whole"
	overlap6      = "RFC 5722: a datagram whose fragments overlap is dropped"

	fragmentOfFragment = "what was rebuilt begins with a fragment header, which is followed"
)

// vectorExceptions are the frames that are read otherwise than tshark does or
// the generator meant, and why that is right.
var vectorExceptions = []vectorException{
	{"gen/fmt_pcapng_options", []int{1, 2, 3, 4}, "comment", "the capture has comments, which the expectations leave out"},
	{"gen/v6_ndp", []int{11}, "malformed", "the redirected header holds the start of a packet, as it should"},

	{"gen/v4_ext_compliant", []int{30, 31, 33}, "icmp.ext.objects", brokenObject},
	{"gen/v4_ext_compliant", []int{37}, "icmp.ext.version", "the version is in the first byte"},
	{"gen/v4_ext_compliant", []int{39}, "icmp.ext.objects.name", "a name of length 0 has no room for its own length (RFC 5837 section 4.4)"},
	{"gen/v4_ext_legacy", []int{15}, "icmp.ext icmp.ext.placement", "a legacy extension whose checksum is wrong proves nothing: it may be the quoted packet's data"},

	{"gen/v4_frag_overlap_conflict_rev.reassembled", []int{2}, "icmp.sum_status icmp.payload_sha256", "policy: of conflicting bytes those that came first are kept"},
	{"gen/v4_frag_teardrop.reassembled", []int{2}, notRebuilt, "fragments that do not agree on the end make no datagram"},
	{"gen/v4_frag_timeout.reassembled", []int{2}, notRebuilt, "after 61 seconds no host rebuilds it (RFC 1122 section 3.3.2)"},
	{"gen/v6_frag_overlap.reassembled", []int{2}, notRebuilt, overlap6},
	{"gen/v6_frag_fragmentable_exthdr.reassembled", []int{1, 2}, "ip.exthdrs", "ip is the frame's own header; tshark shows what was rebuilt"},

	{"gen/v4_ipopts", []int{18}, "ip.opts", "the type of an unknown option is shown too"},
	{"gen/v4_ipopts", []int{22, 23, 24, 25}, "ip.opts", brokenOption},

	{"gen/v4_malformed", []int{6, 7, 8, 10, 14}, "ip.*", asItStands},
	{"gen/v4_malformed", []int{9}, "ip.opts", "by the header length these bytes are options"},
	{"gen/v4_malformed", []int{13, 20}, "icmp", zeroIsNoBytes},
	{"gen/v4_malformed", []int{15}, "ip.len", "the header says 0"},
	{"gen/v4_malformed", []int{16, 21, 22, 23, 24, 25, 29, 37}, "icmp", shortICMP},
	{"gen/v4_malformed", []int{18}, "ip_depth", "there is one IP header"},
	{"gen/v4_malformed", []int{45}, "icmp.sum_status", "the pseudo-header of ICMPv6 in IPv4 is not defined"},

	{"gen/v4_truncquote", []int{8}, "icmp.quote.l4", "the one byte of the ICMP header is its type"},
	{"gen/v4_truncquote", []int{12}, "icmp.quote.l4.ack", "the acknowledgment number was quoted"},
	{"gen/v4_truncquote", []int{15, 16, 19, 21}, "icmp.quote.*", asItStands},
	{"gen/v4_unreach", []int{37}, "icmp.quote.exthdrs icmp.quote.l4", "ESP is what the IPv4 packet carries, and no extension header of it"},
	{"gen/v4_unreach", []int{38}, "icmp.quote.l4", "the ports of SCTP were quoted"},
	{"gen/v4_unreach", []int{44}, "icmp.quote.len", "the header says 0"},
	{"gen/v6_errors", []int{43}, "icmp.quote", "a quoted packet of the other family is read; tshark shows nothing"},

	{"gen/v4_xecho", []int{8}, "icmp.ext.objects.addr", "its length is not that of an address"},
	{"gen/v4_xecho", []int{12}, "icmp.ext.*", "the first object's length ends the structure; what follows is data (RFC 8335 section 2)"},
	{"gen/v6_exthdr", []int{16}, "ip.exthdrs", "the byte that is there says what follows the header"},

	{"seeds/live/paramprob_v6", []int{7}, "icmp.sum_status", "a routing header of unknown type may hide the final destination"},
	{"seeds/live/probe_v4", []int{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23}, "icmp.ext", replyHasExt},

	{"peers/arkime/arkime_synthetic", []int{307, 315}, "ip icmp", "neither network service headers nor Cisco metadata are followed"},
	{"peers/libpcap/ah-ipip-ping.reassembled", []int{4}, "ip.exthdrs", "ip is the frame's own header; tshark shows what was rebuilt"},
	{"peers/zeek/tunnels__gtp__gtp_control_prime", []int{9, 10}, "icmp ip.* ip_depth", "GTP' carries no user's packets"},
	{"peers/zeek/tunnels__gtp__pdp_ctx_messages", []int{13, 14}, "icmp ip.* ip_depth", "GTP' carries no user's packets"},
	{"peers/zeek/icmp__icmp6-destunreach-ip6ext-trunc", []int{1}, "icmp.quote.exthdrs", "the header is named whose first byte was not quoted"},

	{"peers/tcpdump/brcm-tag", []int{3, 6, 7, 8, 9, 18, 19, 20, 21}, "frame", otherLinks},
	{"peers/tcpdump/brcm-tag-prepend", []int{1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15}, "frame", otherLinks},
	{"peers/tcpdump/dsa", []int{1, 2, 3, 4, 5, 6}, "frame", otherLinks},
	{"peers/tcpdump/edsa", []int{1, 2, 3, 4, 5, 6}, "frame", otherLinks},
	{"peers/tcpdump/vxlan_port_8472", []int{1, 4, 5, 6, 7, 8, 9, 10}, "frame", "Linux has had VXLAN on this port; tshark does not know"},

	{"peers/tcpdump/icmp-icmp_print-oobr-2", []int{3}, "frame", shortICMP},
	{"peers/tcpdump/icmp6_nodeinfo_oobr", []int{1}, "frame", "tcpdump finds it too"},
	{"peers/tcpdump/extract_read2_asan", []int{1}, "ip.opts", brokenOption},
	{"peers/tcpdump/icmp-length-zero", []int{1}, "ip.len", "the header says 0"},
	{"peers/tcpdump/icmp-cksum-oobr-2", []int{1}, "icmp.ext icmp.sum_status", "the end of the message is missing, and with it what could prove a legacy extension"},
	{"peers/tcpdump/icmp-cksum-oobr-3", []int{1}, "icmp.sum_status", noEnd},
	{"peers/tcpdump/ipv6_jumbogram_invalid_length", []int{1}, "icmp.sum_status", noEnd},
	{"peers/suricata-verify/output-eve-anomaly-packethdr__anomaly", []int{13, 30}, "icmp.sum_status", noEnd},
	{"peers/tcpdump/icmp_inft_name_length_zero", []int{1}, "icmp.ext", "the end of the message is missing, and with it what could prove a legacy extension"},
	{"peers/tcpdump/icmp-rfc8335-missing-bytes", []int{1}, "icmp.ext icmp.sum_status", "the first object is longer than the message, whose end is missing: its bytes are in fields"},
	{"peers/tcpdump/icmp6-rfc8335", []int{1, 3, 5}, "icmp.ext.*", "the first object's length ends the structure; what follows is data (RFC 8335 section 2)"},
	{"peers/tcpdump/icmp6-rfc8335", []int{2, 4, 6}, "icmp.ext", replyHasExt},
	{"peers/tcpdump/icmpv6-rfc7112", []int{1}, "malformed", "a quoted fragment may end early"},
	{"peers/tcpdump/icmpv6-rfc7112.reassembled", []int{1}, "icmp.quote.l4", "a quoted fragment is never rebuilt"},

	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-2__frag-2.reassembled", []int{9}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-3__frag-3.reassembled", []int{9}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-6__frag-6.reassembled", []int{8}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-7__frag-7.reassembled", []int{8}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-17__frag-17.reassembled", []int{11}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-18__frag-18.reassembled", []int{9}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-29__frag-29.reassembled", []int{8}, notRebuilt, overlap6},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-15__frag-15.reassembled", []int{59}, notRebuilt, "it is longer than an IPv6 datagram can be"},
	{"peers/suricata-verify/ipv6-evasion__ipv6-malformed-fragments-35__frag-35.reassembled", []int{7}, "icmp.*", fragmentOfFragment},
}
