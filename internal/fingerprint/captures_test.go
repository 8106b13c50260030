package fingerprint

import (
	"bufio"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/internal/vectortest"
)

// A told is what is expected to be said of a capture: the tool, its note and
// what it cannot be told from, for each line of the report. Confidence is high,
// or said otherwise.
type told struct {
	tool, note string
	level      Level
	also       string // what it honestly cannot be told from
}

const (
	noData    = "without data (-s 0)"
	fewBytes  = "less than 16 bytes (-s)"
	inetutils = "GNU inetutils ping"
)

var plainIputils = []told{{"iputils ping", "", High, ""}}

// zeroPings are what sends 56 zero bytes: these two differ in nothing.
var zeroPings = []told{{"fping", "", Medium, "scamper ping"}}

// toolCaptures says what is to be told of each capture of real tools.
var toolCaptures = map[string][]told{
	"busybox_default.pcap":           {{"BusyBox ping", "", High, ""}},
	"busybox_traceroute.pcap":        {{"BusyBox traceroute", "", High, ""}},
	"fping_M_ttl.pcap":               zeroPings,
	"fping_b100.pcap":                zeroPings,
	"fping_default.pcap":             zeroPings,
	"fping_many.pcap":                zeroPings,
	"fping_v6.pcap":                  zeroPings,
	"hping3_d40.pcap":                {{"hping3", "with data (-d)", High, ""}},
	"hping3_default.pcap":            {{"hping3", "", Medium, ""}},
	"hping3_frag.pcap":               {{"hping3", "with data (-d)", High, ""}},
	"hping3_mask.pcap":               {{"hping3", "--icmp-addr", Medium, ""}},
	"hping3_traceroute.pcap":         {{"hping3", "", Medium, ""}},
	"hping3_ts.pcap":                 {{"hping3", "--icmp-ts", High, ""}},
	"inetutils_address.pcap":         {{inetutils, "--address", Medium, ""}},
	"inetutils_default.pcap":         {{inetutils, "", High, ""}},
	"inetutils_s12.pcap":             {{inetutils, fewBytes, High, ""}},
	"inetutils_timestamp.pcap":       {{inetutils, "--timestamp", High, ""}},
	"inetutils_traceroute_icmp.pcap": {{"GNU inetutils traceroute", "-M icmp", High, ""}},
	"iputils_bcast.pcap":             plainIputils,
	"iputils_default.pcap":           plainIputils,
	"iputils_flood.pcap":             plainIputils,
	"iputils_frag2048.pcap":          plainIputils,
	"iputils_ident.pcap":             plainIputils,
	"iputils_mdo.pcap":               plainIputils,
	"iputils_mdont.pcap":             plainIputils,
	"iputils_pattern.pcap":           {{"iputils ping", "with a pattern (-p)", High, ""}},
	"iputils_rawsocket.pcap":         plainIputils,
	"iputils_rr.pcap":                plainIputils,
	"iputils_s0.pcap":                {{"iputils ping", noData, Medium, ""}},
	"iputils_s1.pcap":                {{"iputils ping", fewBytes, Medium, inetutils}}, // whose second request looks the same
	"iputils_s1000.pcap":             plainIputils,
	"iputils_s16.pcap":               {{"iputils ping", "", Medium, inetutils}}, // there is only the time
	"iputils_s8.pcap":                {{"iputils ping", fewBytes, Medium, inetutils}},
	"iputils_timestamp_D.pcap":       plainIputils,
	"iputils_tsandaddr.pcap":         plainIputils,
	"iputils_unpriv.pcap":            plainIputils,
	"iputils_v6.pcap":                plainIputils,
	"iputils_v6_frag4000.pcap":       plainIputils,
	"masscan_ping.pcap":              {{"masscan", "--ping", High, ""}},
	"mtr_icmp.pcap":                  {{"mtr", "", High, ""}},
	"mtr_udp.pcap":                   {{"mtr", "-u", High, ""}},
	"nmap_O_icmp.pcap":               {{"nmap", "-O, its first probe", High, ""}, {"nmap", "-O, its second probe", High, ""}, {"nmap", "-O, to a closed UDP port", High, ""}},
	"nmap_pe.pcap":                   {{"nmap", "-PE", Medium, ""}},
	"nmap_pe_len.pcap":               {{"nmap", "-PE --data-length", Medium, ""}},
	"nmap_pe_v6.pcap":                {{"nmap", "-6 -PE", Medium, ""}},
	"nmap_pp.pcap":                   {{"nmap", "-PP", High, ""}},
	"nping_default.pcap":             {{"nping", "", Medium, ""}},
	"nping_len32.pcap":               {{"nping", "--data-length", Medium, ""}},
	"nping_ts.pcap":                  {{"nping", "--icmp-type timestamp", High, ""}},
	"oping_default.pcap":             {{"oping", "liboping", High, ""}},
	"rltraceroute6_icmp.pcap":        {{"rltraceroute6", "ndisc6", High, ""}},
	"scamper_icmp_paris.pcap":        {{"scamper trace", "icmp-paris", High, ""}},
	"scamper_ping.pcap":              zeroPings,
	"traceroute_I.pcap":              {{"traceroute", "for Linux, -I", High, ""}},
	"traceroute_mtu.pcap":            {{"traceroute", "for Linux", High, ""}},
	"traceroute_udp.pcap":            {{"traceroute", "for Linux", High, ""}},
	"zmap_echo.pcap":                 {{"zmap", "before 3.0", High, ""}},
}

// storyCaptures is the same of captures that tell a story.
var storyCaptures = map[string][]told{
	"bsd_ping.pcap":      {{"BSD ping", "or Solaris, or another old one", Medium, ""}},
	"bsd_ping_null.pcap": {{"BSD ping", "or Solaris, or another old one", Medium, ""}},
	"exchange_1byte.pcap": {{"Exchange directory access",
		"DSAccess of Exchange 2000 and 2003, asking if a controller is alive", High, ""}},
	"xp_slowlink.pcap":       {{"Windows ping", "", High, ""}, slowLink},
	"xp_slowlink_start.pcap": {{"Windows ping", "without data (-l 0)", Low, ""}, slowLink},
	"xp_slowlink_tail.pcapng": {slowLink, // and its last part, shorter than the others, is like it
		{"Windows ping", "", High, ""}},
}

var slowLink = told{"Windows slow-link test", "2000 and XP: a picture in pings, from a domain member to its controller", High, ""}

// TestTools looks at each capture that the list of labels names, and at no other.
func TestTools(t *testing.T) {
	dir := vectors + "/seeds/tools"
	labels := labelsOf(t, dir)
	for name := range toolCaptures {
		if labels[name] == "" {
			t.Errorf("%s is not in the list", name)
		}
	}
	for name := range labels {
		want, ok := toolCaptures[name]
		if !ok {
			t.Errorf("nothing is expected of %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) { checkTold(t, filepath.Join(dir, name), want) })
	}
}

func TestStories(t *testing.T) {
	for name, want := range storyCaptures {
		t.Run(name, func(t *testing.T) { checkTold(t, filepath.Join(vectors, "seeds", name), want) })
	}
}

func checkTold(t *testing.T, path string, want []told) {
	t.Helper()
	r := observe(t, path).Report()
	var got []told
	for i := range r.Makers {
		m := &r.Makers[i]
		got = append(got, told{m.Tool, m.Note, m.Level(), strings.Join(m.Also, ", ")})
		if len(m.Evidence) == 0 {
			t.Errorf("%+v is without evidence", m)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// labelsOf reads which program made which capture.
func labelsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "labels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	labels := make(map[string]string)
	s := bufio.NewScanner(f)
	for s.Scan() {
		if col := strings.Split(s.Text(), "\t"); len(col) > 1 && col[0] != "file" {
			labels[col[0]] = col[1]
		}
	}
	if err := s.Err(); err != nil || len(labels) < 50 {
		t.Fatalf("%d labels: %v", len(labels), err)
	}
	return labels
}

// TestForeignCaptures looks at public captures of others: each tool that is
// known from elsewhere is named, and none is named wrongly.
func TestForeignCaptures(t *testing.T) {
	dir := vectortest.Folder(t)
	for _, c := range []struct {
		path, src, tool string
	}{
		{"arkime/icmp-frame-relay.pcap", "10.0.0.1", "Cisco IOS ping"},
		{"zeek/tunnels__gre-within-gre.pcap", "10.10.25.1", "Cisco IOS ping"},
		{"packets/icmp_echo.pcapng", "192.168.100.138", "Windows ping"},
		{"zeek/icmp__icmp6-ping.pcap", "2620:0:e00:400e:d1d:db37:beb:5aac", "Windows ping"},
		{"wireshark/dns+icmp.pcapng", "192.168.43.9", "FreeBSD or macOS ping"},
		{"tcpdump/vxlan.pcap", "192.168.203.3", "iputils ping"},
		{"arkime/cloudshark-arp.pcap", "10.10.10.2", "iputils ping"},
		{"zeek/conn-size.pcap", "192.150.186.15", ""}, // its errors quote no data
		{"nDPI/teredo.pcap", "2001:0:c288:1c4c:20f3:359b:46f9:3f46", ""},
		{"arkime/arkime_synthetic.pcap", "192.168.1.1", ""},
	} {
		t.Run(c.path, func(t *testing.T) {
			src := netip.MustParseAddr(c.src)
			for _, m := range observe(t, filepath.Join(dir, "dev/peers", c.path)).Report().Makers {
				if m.Src == src && m.Tool != c.tool {
					t.Errorf("%+v, not %q", m, c.tool)
				}
				if m.Src == src {
					return
				}
			}
			if c.tool != "" {
				t.Errorf("nothing of %v", src)
			}
		})
	}
}
