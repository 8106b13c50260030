package icmpx

var sourceQuench4 = TypeInfo{
	Type: v4SourceQuench, Name: "Source Quench", Text: "Source Quench", RFC: "792", Status: StatusDeprecated, By: "6633",
	layout: &layoutQuench,
	Reference: Reference{
		Sender: "Nobody: RFC 6633 forbids it to hosts and routers. Before that a router or host that ran out of buffers.",
		When:   "Once: send more slowly, packets are being dropped.",
		Quotes: quotes4,
		Action: "Ignore it. If it keeps coming, its sender is very old, or forges it to slow down connections.",
		Linux:  "TCP and UDP ignore it; ping sockets report EREMOTEIO, \"Remote I/O error\". Linux never sends it. icmpx ping halves its rate to the host.",
	},
}

var redirect4 = TypeInfo{
	Type: v4Redirect, Name: "Redirect", Text: "Redirect", RFC: "792",
	layout: &layoutRedirect,
	Reference: Reference{
		Sender: "The first router, only to hosts on its own network.",
		When:   "The packet was forwarded, but another router of the same network is nearer to the destination: use that one. The packet itself arrives.",
		Quotes: quotes4,
		Action: "Give the host the right route and it stops. On networks where hosts do not trust each other refuse redirects: anybody on the link can forge them and draw traffic to himself.",
		Linux:  "Obeyed by hosts if net.ipv4.conf.*.accept_redirects allows, for 300 seconds; only from the gateway in use for that destination. secure_redirects, which wants a known gateway as the better one too, counts only where shared_media is 0. ip route get shows redirected. send_redirects=0 keeps a router from sending them.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Redirect Datagram for the Network (or subnet)", Text: "Redirect Network", RFC: "792", Status: StatusDeprecated, By: "1812", Reference: Reference{
			Sender: "Nobody: routers must not send it, since it carries no netmask (RFC 1812 section 5.2.7.2).",
			When:   "Once: use the other router for the whole network of the destination.",
			Linux:  "Taken as a redirect for the host.",
		}},
		{Code: 1, Name: "Redirect Datagram for the Host", Text: "Redirect Host", RFC: "792", Reference: Reference{
			When: "Use the other router for this destination. This is the code that routers send.",
		}},
		{Code: 2, Name: "Redirect Datagram for the Type of Service and Network", Text: "Redirect Type of Service and Network", RFC: "792", Status: StatusDeprecated, By: "1812", Reference: Reference{
			Sender: "Nobody: routers must not send it (RFC 1812 section 5.2.7.2).",
			When:   "Once: use the other router for that network and TOS.",
			Linux:  "Taken as a redirect for the host.",
		}},
		{Code: 3, Name: "Redirect Datagram for the Type of Service and Host", Text: "Redirect Type of Service and Host", RFC: "792", Reference: Reference{
			Sender: "The first router, if it routes by type of service; there are hardly any.",
			When:   "Use the other router for this destination and TOS.",
			Linux:  "Taken as a redirect for the host.",
		}},
	},
}

var timeExceeded4 = TypeInfo{
	Type: v4TimeExceeded, Name: "Time Exceeded", Text: "Time exceeded", RFC: "792",
	layout: &layoutError4,
	Reference: Reference{
		Sender: "A router on the way (code 0), or the destination (code 1).",
		When:   "The packet's time was up before it arrived whole.",
		Quotes: quotes4,
		Action: "Read the code.",
		Linux:  "Sends at most one a second to a host after a burst (net.ipv4.icmp_ratelimit), so a trace that asks faster sees gaps.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Time to Live exceeded in Transit", Text: "Time to live exceeded", RFC: "792", Reference: Reference{
			Sender: "The router at which the TTL ran out.",
			When:   "Each router takes one from the TTL; here it came to 0. Traceroute provokes it on purpose, to be told of each router.",
			Action: "In a trace it is the answer wanted. In a ping it means a routing loop, or a TTL that is too small: icmpx trace shows which, routers that come again are a loop.",
			Linux:  "EHOSTUNREACH, \"No route to host\", to TCP connections that are being opened and to sockets with IP_RECVERR. New packets start with net.ipv4.ip_default_ttl, 64.",
		}},
		{Code: 1, Name: "Fragment Reassembly Time Exceeded", Text: "Frag reassembly time exceeded", RFC: "792", Reference: Reference{
			Sender: "The destination, or a firewall that puts fragments together.",
			When:   "The first fragment of a packet arrived, others did not in time.",
			Action: "Fragments are lost: by a filter that drops those without ports, by congestion, or by load balancing. Send packets that need no fragments; icmpx pmtu says how large.",
			Linux:  "Waits 30 seconds (net.ipv4.ipfrag_time). Sockets are not told.",
		}},
	},
}

var paramProblem4 = TypeInfo{
	Type: v4ParamProblem, Name: "Parameter Problem", Text: "Parameter problem", RFC: "792",
	layout: &layoutParam4,
	Reference: Reference{
		Sender: "A router on the way, or the destination.",
		When:   "The IP header of the packet, most often an option, cannot be understood, and the packet was dropped.",
		Quotes: quotes4,
		Action: "The pointer tells which byte of the quoted packet is wrong. Send without IP options; if none were sent, something on the way damages headers.",
		Linux:  "EPROTO, \"Protocol error\"; fatal to connected sockets.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Pointer indicates the error", Text: "Parameter problem", RFC: "792", Reference: Reference{
			When: "The byte that the pointer tells is wrong: 1 is the TOS, from 20 on options.",
		}},
		{Code: 1, Name: "Missing a Required Option", Text: "Parameter problem: required option missing", RFC: "1108", Reference: Reference{
			Sender: "A router or host of a network with security labels.",
			When:   "The packet lacks an option that it must have there: the security option of RFC 1108. The pointer has no meaning.",
			Action: "Such networks are closed ones: the sender must label its packets, or does not belong there.",
		}},
		{Code: 2, Name: "Bad Length", Text: "Parameter problem: bad length", RFC: "792", Reference: Reference{
			When: "A length in the IP header does not fit the packet.",
		}},
	},
}

var photuris4 = TypeInfo{
	Type: v4Photuris, Name: "Photuris", Text: "Photuris", RFC: "2521", Status: StatusExperimental,
	layout: &layoutPhoturis,
	Reference: Reference{
		Sender: "The destination of a packet that was secured with IPsec, or a security gateway before it. Next to nobody implements it.",
		When:   "The packet could not be taken out of its protection; the code says why.",
		Quotes: "The IP header of the packet that it is about and the 8 bytes behind it.",
		Action: "Suspect its sender. If IPsec runs between the hosts compare keys and security associations at both ends.",
		Linux:  "Ignored, and never sent.",
	},
	Codes: []CodeInfo{
		{Code: 0, Name: "Bad SPI", Text: "Bad SPI", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "The security parameters index belongs to no association: it has expired, or the peer was restarted.",
		}},
		{Code: 1, Name: "Authentication Failed", Text: "Authentication Failed", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "The integrity check of the packet failed.",
		}},
		{Code: 2, Name: "Decompression Failed", Text: "Decompression Failed", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "What came out of decryption could not be decompressed.",
		}},
		{Code: 3, Name: "Decryption Failed", Text: "Decryption Failed", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "The packet could not be decrypted.",
		}},
		{Code: 4, Name: "Need Authentication", Text: "Need Authentication", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "Packets to this destination must be authenticated, and this one was not.",
		}},
		{Code: 5, Name: "Need Authorization", Text: "Need Authorization", RFC: "2521", Status: StatusExperimental, Reference: Reference{
			When: "The sender is authenticated and has no permission.",
		}},
	},
}
