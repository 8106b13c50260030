package icmpx_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/vectortest"
)

// discoveryVectors is where the captures of neighbour and listener discovery and
// of the rarer types lie, which another package decodes whole.
const discoveryVectors = "../internal/packet/testdata/vectors/gen"

// tsharkPaths says which field of a dissection is tshark's of a name, below
// "icmpv6.". Options are "option" with their type. What is empty says nothing
// that a dissection lacks.
var tsharkPaths = map[string]string{
	"reserved": "", "data": "", "unknown_data": "", "opt": "", "opt.reserved": "", "opt.padding": "",
	"opt.redirected_packet": "", "opt.pref64.plc": "",

	"nd.ra.cur_hop_limit": "current hop limit", "nd.ra.flag": "", "nd.ra.flag.rsv": "",
	"nd.ra.flag.m": "managed address configuration", "nd.ra.flag.o": "other configuration", "nd.ra.flag.h": "home agent",
	"nd.ra.flag.prf": "router preference", "nd.ra.flag.p": "proxy",
	"nd.ra.router_lifetime": "router lifetime", "nd.ra.reachable_time": "reachable time", "nd.ra.retrans_timer": "retransmission timer",
	"nd.ns.target_address": "target", "nd.na.target_address": "target", "nd.rd.target_address": "target",
	"rd.na.destination_address": "destination",
	"nd.na.flag":                "", "nd.na.flag.rsv": "", "nd.na.flag.r": "router", "nd.na.flag.s": "solicited", "nd.na.flag.o": "override",

	"opt.type": "option/type", "opt.length": "option/length", "opt.linkaddr": "option/link-layer address", "opt.mtu": "option/MTU",
	"opt.prefix.length": "option/prefix length", "opt.prefix.flag": "", "opt.prefix.flag.reserved": "",
	"opt.prefix.flag.l": "option/on-link", "opt.prefix.flag.a": "option/autonomous", "opt.prefix.flag.r": "option/router address",
	"opt.prefix.valid_lifetime": "option/valid lifetime", "opt.prefix.preferred_lifetime": "option/preferred lifetime",
	"opt.prefix": "option/prefix", "opt.route_info.flag": "", "opt.route_info.flag.reserved": "",
	"opt.route_info.flag.route_preference": "option/route preference", "opt.route_lifetime": "option/lifetime",
	"opt.rdnss.lifetime": "option/lifetime", "opt.rdnss": "option/server", "opt.dnssl.lifetime": "option/lifetime", "opt.dnssl": "option/domain",
	"opt.nonce": "option/nonce", "opt.captive_portal": "option/URI", "opt.pref64.scaled_lifetime": "option/scaled lifetime",
	"opt.pref64.prefix": "option/prefix", "opt.ipv6_address": "option/address", "opt.advertisement_interval": "option/interval",
	"opt.home_agent_preference": "option/preference", "opt.home_agent_lifetime": "option/lifetime",
	"opt.efo": "", "opt.efo.m": "", "opt.efo.o": "", "opt.efo.h": "", "opt.efo.prf": "", "opt.efo.p": "", "opt.efo.rsv": "",

	"mld.maximum_response_delay": "maximum response delay", "mld.maximum_response_code": "maximum response code",
	"mld.multicast_address": "group", "mld.flag": "", "mld.flag.reserved": "", "mld.flag.s": "suppress router-side processing",
	"mld.flag.qrv": "robustness variable", "mld.qqi": "querier's query interval code", "mld.nb_sources": "number of sources",
	"mld.source_address":    "source",
	"mldr.nb_mcast_records": "number of records", "mldr.mar": "", "mldr.mar.record_type": "record/record type",
	"mldr.mar.aux_data_len": "record/auxiliary data length", "mldr.mar.nb_sources": "record/number of sources",
	"mldr.mar.multicast_address": "record/group", "mldr.mar.source_address": "record/source", "mldr.mar.auxiliary_data": "record/auxiliary data",
	"mcast_ra.query_interval": "query interval", "mcast_ra.robustness_variable": "robustness variable",

	"ni.qtype": "query type", "ni.flag": "", "ni.flag.rsv": "", "ni.flag.g": "global", "ni.flag.s": "site-local", "ni.flag.l": "link-local",
	"ni.flag.c": "IPv4-compatible", "ni.flag.a": "all addresses", "ni.flag.t": "truncated", "ni.nonce": "nonce",
	"ni.query.subject_ipv6": "subject", "ni.query.subject_ipv4": "subject", "ni.reply.node_ttl": "time to live",
	"ni.reply.node_name": "name", "ni.reply.ipv4_address": "address",

	"rr.sequence_number": "sequence number", "rr.segment_number": "segment number", "rr.flag": "", "rr.flag.rsv": "",
	"rr.flag.t": "test", "rr.flag.r": "result requested", "rr.flag.a": "all interfaces", "rr.flag.s": "site-specific",
	"rr.flag.p": "processed previously", "rr.maxdelay": "maximum delay", "rr.pco.mp": "", "rr.pco.up": "",
	"rr.pco.mp.opcode": "prefix control operation/operation", "rr.pco.mp.oplength": "prefix control operation/operation length",
	"rr.pco.mp.ordinal": "prefix control operation/ordinal", "rr.pco.mp.matchlen": "prefix control operation/match length",
	"rr.pco.mp.minlen": "prefix control operation/minimum length", "rr.pco.mp.maxlen": "prefix control operation/maximum length",
	"rr.pco.mp.matchprefix": "prefix control operation/match prefix", "rr.pco.up.uselen": "prefix control operation/use prefix/use length",
	"rr.pco.up.keeplen":  "prefix control operation/use prefix/keep length",
	"rr.pco.up.flagmask": "prefix control operation/use prefix/flag mask", "rr.pco.up.flagmask.l": "", "rr.pco.up.flagmask.a": "",
	"rr.pco.up.flagmask.reserved": "", "rr.pco.up.raflags": "prefix control operation/use prefix/RA flags",
	"rr.pco.up.validlifetime":     "prefix control operation/use prefix/valid lifetime",
	"rr.pco.up.preferredlifetime": "prefix control operation/use prefix/preferred lifetime", "rr.pco.up.flag": "",
	"rr.pco.up.flag.v": "prefix control operation/use prefix/decrement valid lifetime",
	"rr.pco.up.flag.p": "prefix control operation/use prefix/decrement preferred lifetime", "rr.pco.up.flag.reserved": "",
	"rr.pco.up.useprefix": "prefix control operation/use prefix/prefix",

	"mip6.identifier": "identifier", "mip6.home_agent_address": "home agent", "mip6.flag": "", "mip6.flag.rsv": "",
	"mip6.flag.m": "managed address configuration", "mip6.flag.o": "other configuration",
	"send.identifier": "identifier", "send.component": "component",
	"rpl.dis.flags": "flags", "rpl.opt.type": "option/type", "rpl.opt.length": "option/length",
	"rpl.daoack.instance": "instance", "rpl.daoack.flag": "", "rpl.daoack.flag.d": "DODAG present", "rpl.daoack.flag.rsv": "",
	"rpl.daoack.sequence": "sequence number", "rpl.daoack.status": "status", "rpl.daoack.dodagid": "DODAG",
	"ilnp.nb_locs": "number of locators", "ilnp.nb_locator": "locator/locator", "ilnp.nb_preference": "locator/preference",
}

// hexBytes are bytes as tshark writes them, 02:00:7e:bb:88:1a.
var hexBytes = regexp.MustCompile("^[0-9a-f]{2}(:[0-9a-f]{2})+$")

// A discoveryFrame is what tshark shows of a frame.
type discoveryFrame struct {
	Frame  int
	Tshark struct {
		ICMP *struct {
			V, Type int
			Fields  [][2]string
		}
		Malformed []string
	}
}

// TestDiscoveryVectors compares every field of the bodies with what tshark shows.
func TestDiscoveryVectors(t *testing.T) {
	want := map[string]int{"v6_mld": 14, "v6_ndp": 22, "v6_other": 15}
	for name, n := range want {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(discoveryVectors, name)
			frames, ether := readCapture(t, file+".pcap")
			for i, w := range readExpected(t, file+".expected.jsonl") {
				checkFrame(t, name, w, frames[i], ether)
			}
			if got := compareDiscovery(t, file); got != n {
				t.Errorf("compared %d frames, want %d", got, n)
			}
		})
	}
}

// TestDiscoveryPeers does so with captures of other projects, from the folder
// that ICMPX_VECTORS names.
func TestDiscoveryPeers(t *testing.T) {
	dir := vectortest.Folder(t)
	for name, n := range map[string]int{
		"tcpdump/icmpv6": 5, "tcpdump/icmpv6-ni-flags": 5, "tcpdump/icmpv6-ra-pref64": 4, "tcpdump/icmpv6_nodeinfo_queryipv4": 1,
		"tcpdump/icmpv6_nodeinfo_replyipv4": 1, "tcpdump/icmpv6_opt24": 2, "tcpdump/rpl-26-senddaoack": 1,
		"zeek/icmp__icmp6-mld-query": 1, "zeek/icmp__icmp6-mldv1": 4, "zeek/icmp__icmp6-mldv2": 5, "zeek/icmp__icmp6-nd-short-options": 16,
		"zeek/icmp__icmp6-neighbor-advert": 1, "zeek/icmp__icmp6-neighbor-solicit": 1, "zeek/icmp__icmp6-redirect": 1,
		"zeek/icmp__icmp6-router-advert": 1, "zeek/icmp_nd_dnssl": 2,
	} {
		t.Run(name, func(t *testing.T) {
			if got := compareDiscovery(t, filepath.Join(dir, "dev", "peers", name)); got != n {
				t.Errorf("compared %d frames, want %d", got, n)
			}
		})
	}
}

// compareDiscovery compares the frames of a capture whose bodies tshark shows, and
// returns their number.
func compareDiscovery(t *testing.T, file string) int {
	t.Helper()
	frames, ether := readCapture(t, file+".pcap")
	text, err := os.ReadFile(file + ".expected.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		var w discoveryFrame
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		if w.Tshark.ICMP == nil || w.Tshark.ICMP.V != 6 {
			continue
		}
		n++
		c, ok := message(frames[w.Frame-1], ether)
		if !ok {
			t.Errorf("frame %d: no ICMP message", w.Frame)
			continue
		}
		checkDiscovery(t, &w, c)
	}
	return n
}

// checkDiscovery compares the values of each field in their order. Of what tshark
// calls malformed it shows less.
func checkDiscovery(t *testing.T, w *discoveryFrame, c carried) {
	t.Helper()
	d := icmpx.Dissect(c.family, c.msg, c.opts)
	got := map[string][]string{}
	flatten(got, d.Fields, "")
	want := map[string][]string{}
	option := ""
	for _, field := range w.Tshark.ICMP.Fields {
		name := strings.TrimPrefix(field[0], "icmpv6.")
		path, known := tsharkPaths[name]
		if !known {
			t.Errorf("frame %d: tshark has a field %s", w.Frame, field[0])
		}
		if name == "opt.type" || name == "rpl.opt.type" {
			option = field[1]
		}
		if rest, ok := strings.CutPrefix(path, "option/"); ok {
			path = "option " + option + "/" + rest
		}
		if path != "" {
			want[path] = append(want[path], comparable6(field[1]))
		}
	}
	for path, values := range want {
		have := got[path]
		if w.Tshark.Malformed != nil {
			have = have[:min(len(have), len(values))]
		}
		if !slices.Equal(have, values) {
			t.Errorf("frame %d: %s: got %v, want %v\n%s", w.Frame, path, have, values, outline(d.Fields, ""))
		}
	}
}

// flatten lists the values of fields by their paths.
func flatten(to map[string][]string, fields []icmpx.Field, in string) {
	for _, f := range fields {
		if f.Fields == nil {
			to[in+f.Name] = append(to[in+f.Name], plain(f.Value))
			continue
		}
		path := in + f.Name
		if f.Name == "option" && f.Fields[0].Name == "type" {
			path += " " + plain(f.Fields[0].Value)
		}
		flatten(to, f.Fields, path+"/")
	}
}

func plain(v any) string {
	switch v := v.(type) {
	case bool:
		return fmt.Sprint(asBit(v))
	case []byte:
		return hex.EncodeToString(v)
	}
	return fmt.Sprint(v)
}

// comparable6 writes a value of tshark's as plain does.
func comparable6(s string) string {
	if hexBytes.MatchString(s) {
		return strings.ReplaceAll(s, ":", "")
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	digits, isHex := strings.CutPrefix(s, "0x")
	if n, err := strconv.ParseUint(digits, 16, 64); isHex && err == nil && len(digits) < 16 {
		return strconv.FormatUint(n, 10)
	}
	return digits
}
