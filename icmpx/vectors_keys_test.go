package icmpx_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/icmpx/icmpx/icmpx"
)

// A vectorCase is one key of one frame.
type vectorCase struct {
	carried
	d     icmpx.Dissection
	built map[string]any
	want  any
}

// field compares the dissected field at path.
func field(path ...string) func(*vectorCase) string {
	return func(c *vectorCase) string { return c.compare(path...) }
}

func (c *vectorCase) compare(path ...string) string {
	f := c.d.Find(path...)
	if f == nil {
		return fmt.Sprintf("no field %v", path)
	}
	return differs(f.Value, c.want)
}

func differs(got, want any) string {
	if same(got, want) {
		return ""
	}
	return fmt.Sprintf("got %v", got)
}

// flag compares a flag with the 0 or 1 that the vectors use.
func flag(name string) func(*vectorCase) string {
	return func(c *vectorCase) string {
		f := c.d.Find(name)
		if f == nil {
			return "no field " + name
		}
		return differs(asBit(f.Value == true), c.want)
	}
}

func asBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// problem reports whether a problem of kind err was met in a field whose name
// contains part.
func (c *vectorCase) problem(part string, err error) bool {
	for _, p := range c.d.Problems {
		if errors.Is(&p, err) && strings.Contains(p.Field, part) {
			return true
		}
	}
	return false
}

// builtChecks says for each key of the expectations how to compare it.
var builtChecks = map[string]func(*vectorCase) string{
	"type": field("type"),
	"code": field("code"),
	"id":   field("identifier"),
	"seq":  field("sequence number"),
	"gw":   field("gateway"),
	"ptr":  field("pointer"),
	"mask": field("address mask"),
	"mtu": func(c *vectorCase) string {
		if c.family == icmpx.IPv6 {
			return c.compare("MTU")
		}
		return c.compare("next-hop MTU")
	},
	"len_attr":    field("length"),
	"ts_orig":     field("originate timestamp"),
	"ts_recv":     field("receive timestamp"),
	"ts_xmit":     field("transmit timestamp"),
	"ra_num":      field("number of addresses"),
	"ra_size":     field("address entry size"),
	"ra_lifetime": field("lifetime"),
	"xe_local":    flag("local"),
	"xe_state":    field("state"),
	"xe_active":   flag("active"),
	"xe_v4":       flag("IPv4"),
	"xe_v6":       flag("IPv6"),
	"ext_version": field("extension", "version"),

	"sum_ok":         checkSumOK,
	"payload_len":    checkPayloadLen,
	"payload_sha256": checkPayloadSum,
	"routers":        checkRouters,
	"quote":          checkQuoteKeys,
	"quoted_bytes":   checkQuotedBytes,
	"ext":            checkObjects,
	"mpls":           checkLabels,
	"ext_sum":        checkExtensionSum,
	"ext_bad":        checkExtensionBad,
	"legacy":         checkLegacy,
	"ip_dst":         func(c *vectorCase) string { return differs(c.opts.Dst.String(), c.want) },
}

func checkSumOK(c *vectorCase) string {
	bad := c.problem("ICMP checksum", icmpx.ErrChecksum)
	switch c.want {
	case true:
		return differs(!bad && c.opts.Len == len(c.msg), true)
	case false:
		return differs(bad, true)
	}
	return differs(!bad && c.opts.Len > len(c.msg), true) // cannot be told
}

func (c *vectorCase) data() []byte {
	if f := c.d.Find("data"); f != nil {
		return f.Value.([]byte)
	}
	return nil
}

func checkPayloadLen(c *vectorCase) string { return differs(len(c.data()), c.want) }

func checkPayloadSum(c *vectorCase) string {
	sum := sha256.Sum256(c.data())
	return differs(hex.EncodeToString(sum[:]), c.want)
}

func checkRouters(c *vectorCase) string {
	var got []any
	for _, f := range c.d.Fields {
		if f.Name == "router" {
			got = append(got, []any{f.Find("address").Value, int32(f.Find("preference").Value.(uint64))})
		}
	}
	return differs(got, c.want)
}

// checkQuoteKeys compares the keys of a quote.
func checkQuoteKeys(c *vectorCase) string {
	quote := c.d.Find("quote")
	if quote == nil {
		return "no quote"
	}
	var why []string
	for key, want := range c.want.(map[string]any) {
		got, ok := quoteKey(quote, key)
		if !ok {
			why = append(why, "no "+key)
		} else if d := differs(got, want); d != "" {
			why = append(why, key+" "+d)
		}
	}
	return strings.Join(why, ", ")
}

// quoteKey finds the value of a quote's key.
func quoteKey(quote *icmpx.Field, key string) (any, bool) {
	names := map[string][][]string{
		"v":         {{"version"}},
		"src":       {{"source"}},
		"dst":       {{"destination"}},
		"proto":     {{"protocol"}},
		"nxt":       {{"next header"}},
		"id":        {{"identification"}},
		"len":       {{"total length"}},
		"off":       {{"fragment offset"}},
		"sport":     {{"UDP", "source port"}, {"TCP", "source port"}},
		"dport":     {{"UDP", "destination port"}, {"TCP", "destination port"}},
		"tcp_seq":   {{"TCP", "sequence number"}},
		"icmp_type": {{"ICMP", "type"}, {"ICMPv6", "type"}},
		"icmp_id":   {{"ICMP", "identifier"}, {"ICMPv6", "identifier"}},
		"icmp_seq":  {{"ICMP", "sequence number"}, {"ICMPv6", "sequence number"}},
	}
	for _, path := range names[key] {
		if f := quote.Find(path...); f != nil {
			if v, ok := f.Value.(uint64); ok && key == "off" {
				return v / 8, true
			}
			return f.Value, true
		}
	}
	return nil, false
}

func checkQuotedBytes(c *vectorCase) string {
	n := 0
	if f := c.d.Find("quote"); f != nil {
		n = f.Len
	}
	return differs(n, c.want)
}

// checkObjects compares the objects of the extension, or that there is none.
func checkObjects(c *vectorCase) string {
	ext := c.d.Find("extension")
	if c.want == nil {
		return differs(ext == nil, true)
	}
	if ext == nil {
		return "no extension"
	}
	got := []any{}
	for _, f := range ext.Fields {
		if f.Name == "object" {
			got = append(got, []any{f.Find("class").Value, f.Find("C-type").Value, f.Find("length").Value})
		}
	}
	want := c.want.([]any)
	for i, o := range want {
		if o := o.([]any); o[2] == nil && i < len(got) { // a length that does not matter
			got[i].([]any)[2] = nil
		}
	}
	return differs(got, want)
}

func checkLabels(c *vectorCase) string {
	got := []any{}
	for _, o := range c.d.Find("extension").Fields {
		for _, l := range o.Fields {
			if l.Name == "label" {
				got = append(got, []any{l.Find("label").Value, l.Find("traffic class").Value,
					asBit(l.Find("bottom of stack").Value == true), l.Find("time to live").Value})
			}
		}
	}
	return differs(got, c.want)
}

func checkExtensionSum(c *vectorCase) string {
	f := c.d.Find("extension", "checksum")
	switch {
	case f == nil:
		return "no checksum"
	case f.Value == uint64(0):
		return differs("absent", c.want)
	case c.problem("extension checksum", icmpx.ErrChecksum):
		return differs("bad", c.want)
	}
	return differs("good", c.want)
}

// checkExtensionBad wants a problem that the extension causes.
func checkExtensionBad(c *vectorCase) string {
	ext := c.d.Find("extension")
	if ext == nil {
		return "no extension"
	}
	for _, p := range c.d.Problems {
		if p.Offset >= ext.Offset {
			return ""
		}
	}
	return "no problem reported"
}

func checkLegacy(c *vectorCase) string {
	f := c.d.Find("extension", "placement")
	return differs(f != nil && f.Value == "legacy", c.want)
}
