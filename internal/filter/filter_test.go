package filter_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/filter"
	"github.com/icmpx/icmpx/internal/packet"
)

// samples are packets of one kind each, from the IP header on. Those with
// a message carry identifier 0x1234 and sequence number 5.
var samples = map[string]string{
	// 192.0.2.1 > 198.51.100.7, ttl 64
	"echo4":   "4500001c0000000040010000c0000201c6336407" + "0800000012340005",
	"reply4":  "4500001c0000000040010000c6336407c0000201" + "0000000012340005",
	"probe4":  "4500001c0000000040010000c0000201c6336407" + "2a00000012340501",
	"first4":  "4500001c0001200040010000c0000201c6336407" + "0800000012340005",
	"later4":  "4500001c0001000140010000c0000201c6336407" + "0800000012340005",
	"short4":  "4500001c0000000040010000c0000201c6336407" + "08",
	"unreach": "450000380000000040010000cb007101c0000201" + "0303000000000000" + "4500001c0000000001110000c0000201c6336407" + "0035003500080000",
	"udp4":    "4500001c0000000040110000c0000201c6336407" + "0035003500080000",
	// 2001:db8::1 > ff02::2
	"echo6": "60000000" + "00083a40" + "20010db8000000000000000000000001" + "ff020000000000000000000000000002" + "8000000012340005",
	"big6":  "60000000" + "00383a40" + "20010db8000000000000000000000009" + "20010db8000000000000000000000001" + "0200000000000500" + "60000000" + "00083a40" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "8000000012340005",
	"none":  "",
}

func decode(t testing.TB, name string) *packet.Packet {
	t.Helper()
	data, err := hex.DecodeString(samples[name])
	if err != nil {
		t.Fatal(err)
	}
	var d packet.Decoder
	var p packet.Packet
	f := packet.Frame{Number: 1, Len: len(data), Data: data, Link: packet.LinkRaw, Direction: packet.Incoming}
	if name == "none" {
		f.Link, f.Direction = packet.LinkEthernet, packet.DirectionUnknown
	}
	d.Decode(&f, &p)
	return &p
}

func TestMatch(t *testing.T) {
	const all = "big6 echo4 echo6 first4 later4 none probe4 reply4 short4 udp4 unreach"
	for text, want := range map[string]string{
		"":    all,
		"ip":  "echo4 first4 later4 probe4 reply4 short4 udp4 unreach",
		"ip6": "big6 echo6", "icmp6": "big6 echo6",
		"icmp":       "echo4 first4 later4 probe4 reply4 short4 unreach",
		"not icmp":   "big6 echo6 none udp4",
		"! icmp":     "big6 echo6 none udp4",
		"not not ip": "echo4 first4 later4 probe4 reply4 short4 udp4 unreach",

		"host 192.0.2.1":                      "echo4 first4 later4 probe4 reply4 short4 udp4 unreach",
		"src 192.0.2.1":                       "echo4 first4 later4 probe4 short4 udp4",
		"src host 192.0.2.1 and icmp":         "echo4 first4 later4 probe4 short4",
		"dst host 192.0.2.1":                  "reply4 unreach",
		"src or dst host 198.51.100.7":        "echo4 first4 later4 probe4 reply4 short4 udp4",
		"dst or src 203.0.113.1":              "unreach",
		"src and dst net 192.0.0.0/5":         "echo4 first4 later4 probe4 reply4 short4 udp4",
		"host 2001:db8::1":                    "big6 echo6",
		"src 2001:db8::1":                     "echo6",
		"dst ff02::2":                         "echo6",
		"ip6 host 2001:db8::1":                "big6 echo6",
		"ip src 192.0.2.1 and not icmp":       "udp4",
		"fe80::1 or 2001:db8::9":              "big6",
		"2001:db8::9":                         "big6",
		"ip6 ff02::2":                         "echo6",
		"2001:db8::/32 and ip6 multicast":     "echo6",
		"host 192.0.2.99 or 203.0.113.1":      "unreach",
		"src 203.0.113.1 or 198.51.100.7":     "reply4 unreach",
		"net 203.0.113":                       "unreach",
		"net 203":                             "unreach",
		"net 203.0 or 10":                     "unreach",
		"net 203.0.113.0/24":                  "unreach",
		"net 203.0.113.0 mask 255.255.255.0":  "unreach",
		"dst net 2001:db8::/32":               "big6",
		"net ::/0":                            "big6 echo6",
		"net 0/0":                             "echo4 first4 later4 probe4 reply4 short4 udp4 unreach",
		"ip multicast":                        "",
		"ip6 multicast":                       "echo6",
		"not host 192.0.2.1":                  "big6 echo6 none",
		"host 192.0.2.1 && !src 192.0.2.1":    "reply4 unreach",
		"icmp or icmp6 and host 2001:db8::9":  "big6", // from the left
		"icmp or (icmp6 and src 2001:db8::9)": "big6 echo4 first4 later4 probe4 reply4 short4 unreach",

		"proto 17":          "udp4",
		"ip proto 1 and ip": "echo4 first4 later4 probe4 reply4 short4 unreach",
		`ip proto \icmp`:    "echo4 first4 later4 probe4 reply4 short4 unreach",
		"ip6 proto icmp6":   "big6 echo6",
		"proto 17 or 58":    "big6 echo6 udp4",
		"ip6 proto 17":      "",

		"icmp[icmptype] == icmp-echo": "echo4 first4 short4",
		"icmp[icmptype] = 8":          "echo4 first4 short4",
		"8 = icmp[0]":                 "echo4 first4 short4",
		"icmp[0] != 8":                "probe4 reply4 unreach",
		"not icmp[0] == 8":            "big6 echo6 none probe4 reply4 udp4 unreach",
		"icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply": "probe4 unreach",
		"icmp[icmptype]=icmp-unreach and icmp[icmpcode]=3":                 "unreach",
		"icmp6[icmp6type] = icmp6-packettoobig":                            "big6",
		"icmp6[icmp6type] == icmp6-echo or icmp6[4:4] == 1280":             "big6 echo6",
		"icmp[4:2] == 0x1234":                                              "echo4 first4 probe4 reply4",
		"icmp[4:2] & 0xff = 0x34 and icmp[0] < 8":                          "reply4",
		"icmp[4:4]>>16=0x1234":                                             "echo4 first4 probe4 reply4",
		"icmp[icmp[0]] = 0":                                                "reply4 unreach",
		"ip[8] < 65 and ip[9] = 17":                                        "udp4",
		"ip[6:2] & 0x1fff != 0":                                            "later4",
		"ip[6:2] & 0x2000 != 0":                                            "first4",
		"ip6[7] = 64":                                                      "big6 echo6",
		"(icmp[0] & 0xf) = 8":                                              "echo4 first4 short4",
		"icmp[0] * 2 + 1 - 1 = 0x10":                                       "echo4 first4 short4",
		"icmp[0] / 3 = 2 and icmp[0] % 3 = 2":                              "echo4 first4 short4",
		"icmp[0] ^ 8 = 0":                                                  "echo4 first4 short4",
		"icmp[0] | 7 = 15":                                                 "echo4 first4 short4",
		"-1 = 0xffffffff and icmp[0] - 9 > 5 and icmp[0] < 9":              "echo4 first4 reply4 short4 unreach",
		"2 << 2 == icmp[0]":                                                "echo4 first4 short4",
		"icmp[100] = 1 or src 203.0.113.1":                                 "unreach",
		"not icmp[100] = 1 and icmp":                                       "",
		"1 / icmp[0] = 1":                                                  "",

		"greater 56":              "big6 unreach",
		"less 28 and not host ::": "echo4 first4 later4 none probe4 reply4 short4 udp4",
		"len > 56":                "big6",
		"len <= 21":               "none short4",

		"type 8":                           "echo4 first4 short4",
		"type 8 or 0":                      "echo4 first4 reply4 short4",
		"type 128":                         "echo6",
		"type 3":                           "unreach",
		"type echo":                        "echo4 echo6 first4 short4",
		"type echo-request":                "echo4 echo6 first4 short4",
		"type Echo_Reply":                  "reply4",
		"type echo or packet-too-big":      "big6 echo4 echo6 first4 short4",
		"type icmp-echo or icmp-echoreply": "echo4 first4 reply4 short4",
		"code 7 or port-unreachable":       "unreach",
		"type icmp-echo":                   "echo4 first4 short4",
		"type icmp6-echo":                  "echo6",
		"type packet-too-big":              "big6",
		"type too-big":                     "big6",
		"code too-big":                     "big6",
		"type ICMP-Echo":                   "echo4 first4 short4",
		"type ping":                        "echo4 echo6 first4 short4",
		"type port-unreachable":            "unreach",
		"type host-unreachable":            "",
		"type echo or port-unreachable":    "echo4 echo6 first4 short4 unreach",
		"type unreachable":                 "unreach",
		"not type echo":                    "big6 none probe4 reply4 udp4 unreach",
		"code 3":                           "unreach",
		"code port-unreachable":            "unreach",
		"code 0":                           "big6 echo4 echo6 first4 probe4 reply4",
		"id 0x1234":                        "echo4 echo6 first4 probe4 reply4",
		"seq 5":                            "echo4 echo6 first4 probe4 reply4",
		"seq 1281":                         "",
		"not id 4660":                      "big6 none udp4 unreach",
		"id 1 or 4660 and seq 5":           "echo4 echo6 first4 probe4 reply4",

		"quoted host 192.0.2.1":                  "unreach",
		"quoted src 192.0.2.1":                   "unreach",
		"quoted dst host 198.51.100.7":           "unreach",
		"quoted dst 192.0.2.1":                   "",
		"quoted net 2001:db8::/32":               "big6",
		"quoted 2001:db8::2":                     "big6",
		"not quoted 2001:db8::2":                 "echo4 echo6 first4 none probe4 reply4 short4 udp4 unreach later4",
		"quoted dst 2001:db8::2 or 198.51.100.7": "big6 unreach",

		"vlan": "", "not vlan": all, "vlan 5": "",
		"inbound":      "big6 echo4 echo6 first4 later4 probe4 reply4 short4 udp4 unreach",
		"outbound":     "",
		"not outbound": "big6 echo4 echo6 first4 later4 probe4 reply4 short4 udp4 unreach",
	} {
		t.Run(text, func(t *testing.T) {
			f, err := filter.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if f.String() != text {
				t.Errorf("is %q", f.String())
			}
			for name := range samples {
				wanted := false
				for _, w := range strings.Fields(want) {
					wanted = wanted || w == name
				}
				if got := f.Match(decode(t, name)); got != wanted {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"tcp":                            `column 1: "tcp" is not an ICMP filter: "quoted host A" selects errors by the packets that they are about`,
		"icmp and port 80":               `column 10: "port" is not an ICMP filter: "quoted host A" selects errors by the packets that they are about`,
		"src port 80":                    `column 5: "port" is not an ICMP filter: "quoted host A" selects errors by the packets that they are about`,
		"tcp[tcpflags] = 1":              `column 1: "tcp" is not an ICMP filter: "quoted host A" selects errors by the packets that they are about`,
		"ether host 00:00:5e:00:53:01":   `column 1: "ether" is not an ICMP filter: of the layers below IP only "vlan" can be asked for`,
		"arp":                            `column 1: "arp" is not an ICMP filter: of the layers below IP only "vlan" can be asked for`,
		"ifname eth0":                    `column 1: "ifname" is not an ICMP filter: of a capture only "inbound" and "outbound" can be asked for`,
		"multicast":                      `column 1: say "ip multicast" or "ip6 multicast"`,
		"host example.org":               `column 6: "example.org" is not an address; names of hosts are not looked up`,
		"router":                         `column 1: "router" is neither a word of filters nor an address; names of hosts are not looked up`,
		"time-exceeded":                  `column 1: say "type time-exceeded"`,
		"host 1.2.3.4.5":                 `column 6: "1.2.3.4.5" is not an address`,
		"host 192.0.2":                   `column 6: "192.0.2" is not an address`,
		"host fe80::1%eth0":              `column 13: packets have addresses without zones`,
		"host 192.0.2.0/24":              `column 15: a host has no mask: say "net 192.0.2.0/LEN"`,
		"ip host 2001:db8::1":            `column 9: 2001:db8::1 is no IPv4 address`,
		"net 192.0.2.1/24":               `column 5: 192.0.2.1 has bits beyond its mask: the network is 192.0.2.0/24`,
		"net 192.0.2.0/33":               `column 15: the length of this prefix must be from 0 to 32`,
		"net 192.0.2.0 mask 255.0.255.0": `column 20: mask 255.0.255.0 has gaps`,
		"net 192.0.2.0 mask 24":          `column 20: "24" is not a mask such as 255.255.255.0`,
		"net 2001:db8:: mask 255.0.0.0":  `column 16: a mask is for IPv4: say /LEN`,
		"icmp echo":                      `column 6: "echo" follows without "and" or "or"`,
		"icmp (ip)":                      `column 6: "(" follows without "and" or "or"`,
		"icmp and":                       `column 9: something is missing at the end`,
		"and icmp":                       `column 1: something is missing before "and"`,
		"(icmp":                          `column 6: ")" is missing`,
		"(icmp ip)":                      `column 7: "ip" follows without "and" or "or"`,
		"icmp)":                          `column 5: ")" without "("`,
		"icmp[0":                         `column 7: "]" is missing`,
		"icmp[0:3] = 1":                  `column 8: the size must be 1, 2 or 4 bytes`,
		"icmp[ip] = 1":                   `column 6: a number was expected in brackets`,
		"icmp[0] = ip":                   `column 11: a condition cannot be compared; a number was expected`,
		"icmp[0] + ip = 3":               `column 11: a number was expected after "+"`,
		"icmp[0] / 0 = 3":                `column 11: division by zero`,
		"-ip = 3":                        `column 2: a number was expected after "-"`,
		"icmp[0]":                        `column 1: a number is no condition: compare it, or put a word such as "type" before it`,
		"8":                              `column 1: a number is no condition: compare it, or put a word such as "type" before it`,
		"08 = 8":                         `column 1: "08" is not a number from 0 to 4294967295`,
		"type bogus":                     `column 6: "bogus" is not the number or the name of an ICMP type`,
		"type time-exeeded":              `column 6: "time-exeeded" is not the number or the name of an ICMP type; did you mean "time-exceeded"?`,
		"type icmp-echorepl":             `column 6: "icmp-echorepl" is not the number or the name of an ICMP type; did you mean "icmp-echoreply"?`,
		"code port-unreachabel":          `column 6: "port-unreachabel" is not the number or the name of an ICMP code; did you mean "port-unreachable"?`,
		"code redirect":                  `column 6: "redirect" is the name of a type: say "type redirect"`,
		"host 192.0.2.1 or too-big":      `column 19: say "type too-big"`,
		"type 256":                       `column 6: "256" is not the number or the name of an ICMP type`,
		"code bogus":                     `column 6: "bogus" is not the number or the name of an ICMP code`,
		"id 65536":                       `column 4: "65536" is not a number from 0 to 65535`,
		"host":                           `column 5: a value is missing`,
		"vlan 4096":                      `column 6: a number from 0 to 4095 was expected after "vlan"`,
		"greater":                        `column 8: a number from 0 to 4294967295 was expected after "greater"`,
		"proto tcp":                      `column 7: "tcp" is not a protocol number, icmp or icmp6`,
		"icmp ; rm":                      `column 6: ";" is not expected here`,
		"@":                              `column 1: "@" is not expected here`,
		"quoted type 3":                  `column 8: "type" is not an address; names of hosts are not looked up`,
		strings.Repeat("(", 200):         `column 101: nested more than 100 deep`,
		strings.Repeat("not ", 200):      `column 401: nested more than 100 deep`,
		strings.Repeat("-", 200):         `column 101: nested more than 100 deep`,
		strings.Repeat("icmp[", 200):     `column 501: nested more than 100 deep`,
		strings.Repeat("ip or ", 600):    `column 3001: more than 500 conditions and numbers`,
		strings.Repeat(" ", 20000):       `column 16385: more than 16384 bytes`,
	} {
		_, err := filter.Parse(text)
		var syntax *filter.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.40q: %v", text, err)
		} else if err.Error() != "filter, "+want {
			t.Errorf("%.40q: %q, want %q", text, err.Error(), "filter, "+want)
		}
	}
}

// TestEveryPcapName takes the names of pcap-filter(7).
func TestEveryPcapName(t *testing.T) {
	for _, name := range strings.Fields(`icmp-echoreply icmp-unreach icmp-sourcequench icmp-redirect icmp-echo icmp-routeradvert
		icmp-routersolicit icmp-timxceed icmp-paramprob icmp-tstamp icmp-tstampreply icmp-ireq icmp-ireqreply icmp-maskreq
		icmp-maskreply icmp6-destinationunreach icmp6-packettoobig icmp6-timeexceeded icmp6-parameterproblem icmp6-echo
		icmp6-echoreply icmp6-multicastlistenerquery icmp6-multicastlistenerreportv1 icmp6-multicastlistenerdone
		icmp6-routersolicit icmp6-routeradvert icmp6-neighborsolicit icmp6-neighboradvert icmp6-redirect icmp6-routerrenum
		icmp6-nodeinformationquery icmp6-nodeinformationresponse icmp6-ineighbordiscoverysolicit icmp6-ineighbordiscoveryadvert
		icmp6-multicastlistenerreportv2 icmp6-homeagentdiscoveryrequest icmp6-homeagentdiscoveryreply icmp6-mobileprefixsolicit
		icmp6-mobileprefixadvert icmp6-certpathsolicit icmp6-certpathadvert icmp6-multicastrouteradvert
		icmp6-multicastroutersolicit icmp6-multicastrouterterm`) {
		proto, _, _ := strings.Cut(name, "-")
		for _, text := range []string{proto + "[" + proto + "type] == " + name + " and " + proto + "[" + proto + "code] < 9", "type " + name} {
			if _, err := filter.Parse(text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

// TestNil has the filter that nobody set.
func TestNil(t *testing.T) {
	var f *filter.Filter
	if !f.Match(decode(t, "echo4")) || !f.Match(&packet.Packet{}) || f.String() != "" {
		t.Error("the nil filter is one")
	}
}
