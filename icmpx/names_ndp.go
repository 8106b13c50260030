package icmpx

import "strconv"

// Options of neighbour discovery whose fields only Dissect names.
const (
	ndoShortcutLimit    = 6  // RFC 2491
	ndoInterval         = 7  // RFC 6275 section 7.3
	ndoHomeAgent        = 8  // RFC 6275 section 7.4
	ndoTimestamp        = 13 // RFC 3971 section 5.3.1
	ndoAddrPrefix       = 17 // RFC 5568 section 6.4.1
	ndoNewPrefix        = 18 // RFC 4068 section 6.4.2, laid out as 17
	ndoMobilityAnchor   = 23 // RFC 5380 section 4.2
	ndoFlagsExtension   = 26 // RFC 5175
	ndoAddrRegistration = 33 // RFC 6775 section 4.1
	ndoContext          = 34 // RFC 6775 section 4.2
	ndoBorderRouter     = 35 // RFC 6775 section 4.3
	ndoCapability       = 36 // RFC 7400 section 3.3
)

// NDOptionName returns the name of an option of neighbour discovery, "Prefix
// Information" (IANA "IPv6 Neighbor Discovery Option Formats"); "option 200" if
// it is not assigned.
func NDOptionName(typ uint8) string {
	switch typ {
	case ndSourceLinkAddr:
		return "Source Link-Layer Address"
	case ndTargetLinkAddr:
		return "Target Link-Layer Address"
	case ndPrefixInfo:
		return "Prefix Information"
	case ndRedirected:
		return "Redirected Header"
	case ndMTU:
		return "MTU"
	case ndoShortcutLimit:
		return "NBMA Shortcut Limit"
	case ndoInterval:
		return "Advertisement Interval"
	case ndoHomeAgent:
		return "Home Agent Information"
	case ndSourceAddrs:
		return "Source Address List"
	case ndTargetAddrs:
		return "Target Address List"
	case 11:
		return "CGA"
	case 12:
		return "RSA Signature"
	case ndoTimestamp:
		return "Timestamp"
	case ndNonce:
		return "Nonce"
	case 15:
		return "Trust Anchor"
	case 16:
		return "Certificate"
	case ndoAddrPrefix:
		return "IP Address/Prefix"
	case ndoNewPrefix:
		return "New Router Prefix Information"
	case 19:
		return "Link-Layer Address"
	case 20:
		return "Neighbor Advertisement Acknowledgment"
	case 21:
		return "PvD ID Router Advertisement"
	case ndoMobilityAnchor:
		return "Mobility Anchor Point"
	case ndRouteInfo:
		return "Route Information"
	case ndRDNSS:
		return "Recursive DNS Server"
	case ndoFlagsExtension:
		return "RA Flags Extension"
	case 27:
		return "Handover Key Request"
	case 28:
		return "Handover Key Reply"
	case 29:
		return "Handover Assist Information"
	case 30:
		return "Mobile Node Identifier"
	case ndDNSSL:
		return "DNS Search List"
	case 32:
		return "Proxy Signature"
	case ndoAddrRegistration:
		return "Address Registration"
	case ndoContext:
		return "6LoWPAN Context"
	case ndoBorderRouter:
		return "Authoritative Border Router"
	case ndoCapability:
		return "6LoWPAN Capability Indication"
	case ndCaptivePortal:
		return "Captive Portal"
	case ndPREF64:
		return "PREF64"
	case 39:
		return "Crypto-ID Parameters"
	case 40:
		return "NDP Signature"
	case 41:
		return "Resource Directory Address"
	case 42:
		return "Consistent Uptime"
	case 138:
		return "CARD Request"
	case 139:
		return "CARD Reply"
	case 253, 254:
		return "RFC3692-style Experiment"
	}
	return "option " + strconv.Itoa(int(typ))
}

// MLDRecordName returns the name of the type of a multicast address record,
// "Change To Exclude Mode" (RFC 9777 section 5.2.12); "record 7" if there is
// none.
func MLDRecordName(typ uint8) string {
	switch typ {
	case 1:
		return "Mode Is Include"
	case 2:
		return "Mode Is Exclude"
	case 3:
		return "Change To Include Mode"
	case 4:
		return "Change To Exclude Mode"
	case 5:
		return "Allow New Sources"
	case 6:
		return "Block Old Sources"
	}
	return "record " + strconv.Itoa(int(typ))
}
