package render

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// A difference is a key of a line whose value is not the expected one.
type difference struct {
	key, text string
}

// Keys that are not compared one by one. All others of an expectation must be
// in the line with the same value, and the line may have no others.
//
//   - frame is how a line is found; protos and title are tshark's own words.
//   - expert, tshark_data_len and resp_to are tshark's own judgement: whether
//     bytes look like a time, and which request a reply answers, which the pair
//     events say.
//   - fields are what tshark shows of bodies that have no keys. Package icmpx
//     holds its own against them, and checkFields these against those.
//   - malformed says in which words tshark gave up; ours must have something to
//     say too. fragments_in_error and frag_flags are the same for fragments.
//   - f has tshark's names of the fields of an extension object: checkObject
//     translates them.
//   - Where tshark rebuilds datagrams it does not verify the checksums of IPv4
//     headers, shows no ICMP in a first fragment, and not always the payload. It
//     shows it only whole, and nothing of an authentication header.
var skippedWant = set("frame", "protos", "title", "expert", "tshark_data_len", "resp_to", "fields", "malformed",
	"fragments_in_error", "frag_flags", "f", "ts")

// Keys that a line has beyond those of the expectations.
var skippedGot = set("event", "frame", "time", "direction", "iface_name", "malformed", "name", "routers", "fields",
	"quoted_bytes", "placement", "title", "f", "data")

func set(words ...string) map[string]bool {
	s := map[string]bool{}
	for _, w := range words {
		s[w] = true
	}
	return s
}

// A comparison collects the differences of one frame.
type comparison struct {
	built, want, got map[string]any
	alone            bool
	diffs            []difference
}

func (c *comparison) differ(key, format string, args ...any) {
	c.diffs = append(c.diffs, difference{key, fmt.Sprintf(format, args...)})
}

func compareVector(w *vectorLine, got map[string]any, alone bool) []difference {
	c := comparison{built: w.Built, want: w.Tshark, got: got, alone: alone}
	fragment, first := fragmentOf(w.Tshark)
	rebuilt := w.Tshark["reassembled_len"] != nil
	if !alone {
		forgetHeaderSums(w.Tshark)
		forgetHeaderSums(got)
		if first && !rebuilt && w.Tshark["icmp"] == nil {
			delete(got, "icmp")
		}
	}
	c.time()
	if w.Built != nil && (!fragment || rebuilt || first && alone) {
		c.overlay(fragment && !rebuilt)
	}
	if w.Tshark["malformed"] != nil && got["malformed"] == nil {
		c.differ("malformed", "none, but tshark says %v", w.Tshark["malformed"])
	}
	c.object("", w.Tshark, got)
	return c.diffs
}

// forgetHeaderSums removes what is said of the checksums of IPv4 headers.
func forgetHeaderSums(line map[string]any) {
	icmp, _ := line["icmp"].(map[string]any)
	for _, header := range []any{line["ip"], icmp["quote"]} {
		if o, ok := header.(map[string]any); ok {
			delete(o, "sum_status")
		}
	}
}

// startsDatagram reports whether a line is of the first fragment of a datagram
// that is not complete.
func startsDatagram(line map[string]any) bool {
	_, first := fragmentOf(line)
	return first && line["fragments"] == nil
}

// fragmentOf reports whether a line shows a fragment, and whether it is a first
// one.
func fragmentOf(line map[string]any) (fragment, first bool) {
	ip, _ := line["ip"].(map[string]any)
	more, off := ip["mf"] == true, ip["off"]
	headers, _ := ip["exthdrs"].([]any)
	for _, h := range headers {
		if h := h.(map[string]any); h["h"] == "frag" {
			more, off = h["mf"] == 1.0, h["off"]
		}
	}
	inside := off != nil && off != 0.0
	return more || inside, more && !inside
}

// time compares the time of a frame.
func (c *comparison) time() {
	var got any
	if s, ok := c.got["time"].(string); ok {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			c.differ("time", "%v", err)
		}
		got = fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond())
	}
	if got != c.want["ts"] {
		c.differ("time", "got %v, want %v", got, c.want["ts"])
	}
}

// object compares two objects, below path.
func (c *comparison) object(path string, want, got map[string]any) {
	for key, w := range want {
		at := strings.TrimPrefix(path+"."+key, ".")
		g, ok := got[key]
		switch {
		case skippedWant[key], w == nil && !ok:
			continue
		case !ok:
			c.differ(at, "missing, want %s", brief(w))
			continue
		}
		c.value(at, w, g)
	}
	for key, g := range got {
		at := strings.TrimPrefix(path+"."+key, ".")
		if _, ok := want[key]; ok || skippedGot[key] {
			continue
		}
		data, _ := g.(string)
		switch {
		case key == "payload" && len(data) == 2*maxShown: // tshark's is there only if it is whole
		case !c.alone && (key == "payload" || key == "payload_sha256"):
		case want["h"] == "ah" && (key == "nxt" || key == "len"):
		default:
			c.differ(at, "not expected: %s", brief(g))
		}
	}
}

func (c *comparison) value(at string, want, got any) {
	w, isObject := want.(map[string]any)
	g, _ := got.(map[string]any)
	wl, isList := want.([]any)
	gl, _ := got.([]any)
	switch {
	case isObject && g != nil:
		c.object(at, w, g)
	case isList && len(wl) == len(gl) && len(wl) > 0 && reflect.TypeOf(wl[0]).Kind() == reflect.Map:
		for i := range wl {
			wo, gotObject := wl[i].(map[string]any), gl[i].(map[string]any)
			c.object(at, wo, gotObject)
			c.extensionObject(at, wo, gotObject)
		}
	case !reflect.DeepEqual(want, got):
		c.differ(at, "got %s, want %s", brief(got), brief(want))
	}
}

func brief(v any) string {
	b, _ := json.Marshal(v)
	if len(b) > 300 {
		b = append(b[:300], "..."...)
	}
	return string(b)
}

// overlay corrects the expectation where the generator of the captures says
// what it built, and compares what tshark has no key for. start: the frame
// holds the start of the message alone.
func (c *comparison) overlay(start bool) {
	want, _ := c.want["icmp"].(map[string]any)
	got, _ := c.got["icmp"].(map[string]any)
	if want == nil {
		want = map[string]any{}
		c.want["icmp"] = want
	}
	ext, _ := got["ext"].(map[string]any)
	for key, v := range c.built {
		switch key {
		case "sum_ok":
			if !start {
				want["sum_status"] = map[any]string{true: "good", false: "bad", nil: "unverified"}[v]
			}
		case "payload_len", "payload_sha256":
			if !start && v != nil {
				want[key] = v
			}
		case "quote":
			c.quote(want, v.(map[string]any))
		case "routers", "quoted_bytes":
			if !reflect.DeepEqual(got[key], v) {
				c.differ("icmp."+key, "got %s, want %s", brief(got[key]), brief(v))
			}
		case "ext", "mpls", "ext_sum", "ext_version", "ext_bad", "legacy":
			c.extension(key, v, ext)
		case "ip_dst":
			c.want["ip"].(map[string]any)["dst"] = v
		case "reassembles":
			if _, rebuilt := c.got["reassembled_len"]; v == false && rebuilt {
				c.differ("reassembled_len", "rebuilt, which cannot be")
			}
		default:
			if v != nil {
				want[key] = v
			}
		}
	}
}

// quote corrects what is expected of a quote.
func (c *comparison) quote(icmp, built map[string]any) {
	want, _ := icmp["quote"].(map[string]any)
	if want == nil {
		want = map[string]any{}
		icmp["quote"] = want
	}
	l4 := func(key string, v any) {
		o, _ := want["l4"].(map[string]any)
		if o == nil {
			o = map[string]any{}
			want["l4"] = o
		}
		o[key] = v
	}
	for key, v := range built {
		switch key {
		case "sport", "dport":
			l4(key, v)
		case "tcp_seq":
			l4("seq", v)
		case "icmp_type", "icmp_id", "icmp_seq":
			l4(strings.TrimPrefix(key, "icmp_"), v)
		case "nxt":
			if _, ok := want["exthdrs"]; !ok {
				want[key] = v
			}
		case "len":
			if built["v"] == 4.0 {
				want[key] = v
			}
		default:
			want[key] = v
		}
	}
}

// extension compares what was built of an extension structure. Where tshark
// finds another, or none, its reading is left out.
func (c *comparison) extension(key string, v any, ext map[string]any) {
	objects, _ := ext["objects"].([]any)
	switch key {
	case "ext":
		var list any
		if ext != nil {
			list = objectNumbers(objects)
		}
		if w, ok := v.([]any); ok {
			list = forgetLengths(list, w)
		}
		if !reflect.DeepEqual(list, v) {
			c.differ("icmp.ext", "got %s, want %s", brief(list), brief(v))
		}
		want, _ := c.want["icmp"].(map[string]any)
		got, _ := c.got["icmp"].(map[string]any)
		if theirs, _ := want["ext"].(map[string]any); theirs == nil || notTheirs(theirs, v) {
			delete(want, "ext")
			delete(got, "ext")
		}
	case "mpls":
		var stacks []any
		for _, o := range objects {
			labels, _ := o.(map[string]any)["mpls"].([]any)
			stacks = append(stacks, labels...)
		}
		if !reflect.DeepEqual(any(stacks), v) {
			c.differ("icmp.ext.mpls", "got %s, want %s", brief(stacks), brief(v))
		}
	case "ext_sum":
		c.value("icmp.ext.sum_status", v, ext["sum_status"])
	case "ext_version":
		c.value("icmp.ext.version", v, ext["version"])
	case "ext_bad":
		if c.got["malformed"] == nil && ext["sum_status"] != "bad" {
			c.differ("icmp.ext.bad", "nothing is said about it")
		}
	case "legacy":
		c.value("icmp.ext.placement", "legacy", ext["placement"])
	}
}

// notTheirs reports whether tshark reads other objects than were built.
func notTheirs(theirs map[string]any, built any) bool {
	objects, _ := theirs["objects"].([]any)
	w, _ := built.([]any)
	return !reflect.DeepEqual(forgetLengths(objectNumbers(objects), w), built)
}

// objectNumbers lists objects as [class, C-type, length].
func objectNumbers(objects []any) any {
	list := []any{}
	for _, o := range objects {
		o := o.(map[string]any)
		list = append(list, []any{o["cls"], o["ctype"], o["len"]})
	}
	return list
}

// forgetLengths removes the lengths that do not matter.
func forgetLengths(list any, want []any) any {
	objects, _ := list.([]any)
	for i, o := range objects {
		if i < len(want) && want[i].([]any)[2] == nil {
			o.([]any)[2] = nil
		}
	}
	return list
}

// extensionObject compares the fields of an extension object, which tshark has
// its own names for, and none for names that fill their room.
func (c *comparison) extensionObject(at string, want, got map[string]any) {
	theirs, _ := want["f"].(map[string]any)
	ours, _ := got["f"].(map[string]any)
	names := map[string]string{
		"int_info.index": "index", "int_info.afi": "afi", "int_info.ipv4": "addr", "int_info.ipv6": "addr",
		"int_info.name": "name", "int_info.mtu": "mtu",
		"int_ident.index": "index", "int_ident.afi": "afi", "int_ident.ipv4": "addr", "int_ident.ipv6": "addr",
		"int_ident.name": "name", "int_ident.addr_length": "addr_len",
	}
	for key, v := range theirs {
		if name, ok := names[key]; ok {
			c.value(at+"."+name, v, ours[name])
			continue
		}
		switch key {
		case "int_info.role":
			c.value(at+".role", roleWords[int(v.(float64))&3], ours["role"])
		case "ext.data":
			c.value(at+".data", strings.ReplaceAll(v.(string), ":", ""), got["data"])
		}
	}
}
