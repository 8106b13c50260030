package pmtu

import "github.com/icmpx/icmpx/icmpx"

// causes are the MTUs that links and tunnels of a known kind have, most of them
// an Ethernet's 1500 less the tunnel's overhead. A map would be filled at the
// start of every command.
var causes = [...]struct {
	mtu  int
	kind string
}{
	{65536, "a loopback interface"},
	{65535, "the largest IPv4 packet"},
	{9216, "a switch with jumbo frames"},
	{9001, "a cloud network with jumbo frames"},
	{9000, "Ethernet with jumbo frames"},
	{8950, "VXLAN over jumbo frames (50 bytes)"},
	{8930, "VXLAN over IPv6 and jumbo frames (70 bytes)"},
	{8896, "a cloud network with jumbo frames"},
	{8500, "a cloud provider's transit gateway"},
	{4470, "packet over SONET"},
	{4352, "FDDI"},
	{2304, "Wi-Fi without an Ethernet limit"},
	{1500, "Ethernet"},
	{1496, "one VLAN tag or MPLS label more than a switch allows for (4 bytes)"},
	{1492, "PPPoE (8 bytes)"},
	{1488, "PPPoE with a VLAN tag, or three MPLS labels (12 bytes)"},
	{1484, "PPPoE with two VLAN tags (16 bytes)"},
	{1480, "an IP-in-IP or 6in4 tunnel (20 bytes)"},
	{1476, "a GRE tunnel (24 bytes)"},
	{1472, "a GRE tunnel with a key (28 bytes), or 6in4 over PPPoE"},
	{1468, "a GRE tunnel with key and sequence number (32 bytes)"},
	{1464, "a GTP-U tunnel of a mobile network (36 bytes)"},
	{1462, "an Ethernet-over-GRE tunnel (38 bytes)"},
	{1460, "an L2TP or 4in6 tunnel (40 bytes), or a cloud network"},
	{1454, "PPPoE as DSL providers set it"},
	{1452, "4in6 over PPPoE (48 bytes)"},
	{1450, "VXLAN (50 bytes)"},
	{1442, "Geneve (58 bytes)"},
	{1440, "WireGuard over IPv4 (60 bytes)"},
	{1438, "an IPsec ESP tunnel (62 bytes)"},
	{1436, "a GRE tunnel in IPsec (64 bytes)"},
	{1432, "WireGuard over IPv4 and PPPoE (68 bytes)"},
	{1430, "VXLAN over IPv6 (70 bytes)"},
	{1428, "an IPsec ESP tunnel (72 bytes)"},
	{1424, "an IPsec ESP tunnel (76 bytes)"},
	{1422, "an IPsec ESP tunnel (78 bytes)"},
	{1420, "WireGuard's default (80 bytes, over IPv4 or IPv6)"},
	{1418, "an IPsec ESP tunnel (82 bytes)"},
	{1412, "WireGuard over IPv6 and PPPoE (88 bytes)"},
	{1408, "an IPsec ESP tunnel (92 bytes)"},
	{1400, "a VPN set to 1400 by hand"},
	{1380, "an IPsec VPN or a mobile network"},
	{1376, "an IPsec VPN or a mobile network"},
	{1372, "an IPsec VPN or a mobile network"},
	{1360, "an IPsec VPN or a mobile network"},
	{1358, "a mobile network"},
	{1350, "an IPsec VPN or a mobile network"},
	{1340, "a mobile network"},
	{1300, "a VPN set to 1300 by hand"},
	{1280, "the minimum of IPv6, as some VPNs use it"},
	{1006, "SLIP"},
	{576, "a link set to the size that every IPv4 host takes, or X.25"},
	{552, "Linux's least path MTU"},
	{296, "a slow serial link"},
	{68, "the minimum of IPv4"},
}

// cause says what an MTU is consistent with; "" if that is nothing known.
func cause(mtu int, f icmpx.Family) string {
	if f == icmpx.IPv6 && mtu < 1280 {
		return ""
	}
	for i := range causes {
		if causes[i].mtu == mtu {
			return causes[i].kind
		}
	}
	return ""
}
