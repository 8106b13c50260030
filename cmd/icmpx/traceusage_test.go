package main

import (
	"strings"
	"testing"
	"time"
)

func TestTraceUsage(t *testing.T) {
	const list = "icmpx trace --help lists the flags"
	tests := []struct{ args, err, hint string }{
		{"trace", "no host given", "icmpx trace HOST [PACKETLEN]; icmpx trace --help lists the flags"},
		{"trace a b c", "more than a host and a packet length given", list},
		{"trace a.example many", `packet length: "many" is not a whole number from 0 to 65535`, list},
		{"trace a.example 65536", `packet length: "65536" is not a whole number from 0 to 65535`, list},
		{"trace a.example -1", "unknown flag -1", list},
		{"trace -f 5 -m 4 a.example", "-m 4 is below -f 5", list},
		{"trace -m 256 a.example", `-m (--max-hops): "256" is not a whole number from 1 to 255`, list},
		{"trace -f 0 a.example", `-f (--first): "0" is not a whole number from 1 to 255`, list},
		{"trace -q 0 a.example", `-q (--queries): "0" is not a whole number from 1 to 100`, list},
		{"trace -N 0 a.example", `-N (--sim-queries): "0" is not a whole number from 1 to 65535`, list},
		{"trace -p 0 a.example", `-p (--port): "0" is not a whole number from 1 to 65535`, list},
		{"trace -p 65536 a.example", `-p (--port): "65536" is not a whole number from 1 to 65535`, list},
		{"trace --sport 65536 a.example", `--sport: "65536" is not a whole number from 1 to 65535`, list},
		{"trace -I -p 80 a.example", "-I sends echo requests, which have no ports: -p and --sport are for UDP and TCP", list},
		{"trace -IT a.example", "-I, -T, -U and --classic exclude each other", list},
		{"trace -t 256 a.example", `-t (--tos): "256" is not a whole number from 0 to 255, decimal or 0x...`, list},
		{"trace -w 0 a.example", `-w (--wait): "0" is not MAX or MAX,HERE,NEAR: a time above 0 and two factors, such as 5,3,10`, list},
		{"trace -w 5,x a.example", `-w (--wait): "5,x" is not MAX or MAX,HERE,NEAR: a time above 0 and two factors, such as 5,3,10`, list},
		{"trace -w 5,1,1,1 a.example", `-w (--wait): "5,1,1,1" is not MAX or MAX,HERE,NEAR: a time above 0 and two factors, such as 5,3,10`, list},
		{"trace -z -1 a.example", `-z (--sendwait): "-1" is not a time from 0 up, such as 0.5, 200ms or 200`, list},
		{"trace -i a-very-very-long-name a.example", `-i (--interface): "a-very-very-long-name" is not the name of an interface`, list},
		{"trace -s here a.example", `-s (--source): "here" is not an address of this host`, list},
		{"trace -s 224.0.0.1 a.example", `-s (--source): "224.0.0.1" is not an address of this host`, list},
		{"trace -g 2001:db8::1 a.example", `-g (--gateway): "2001:db8::1" is not the IPv4 address of a gateway: IPv6 has no source routes (RFC 5095)`, list},
		{"trace -g 192.0.2.1,,192.0.2.2 a.example", `-g (--gateway): "" is not the IPv4 address of a gateway: IPv6 has no source routes (RFC 5095)`, list},
		{"trace -g 1.0.0.1,1.0.0.2,1.0.0.3,1.0.0.4,1.0.0.5,1.0.0.6,1.0.0.7,1.0.0.8 -g 1.0.0.9 a.example", "9 gateways are more than the 8 that a source route has room for", list},
		{"trace -Il 0x100000 a.example", `-l (--flowlabel): "0x100000" is not a whole number from 0 to 1048575, decimal or 0x...`, list},
		{"trace -I -g 192.0.2.1 a.example", "-g is for UDP and TCP, not for -I", list},
		{"trace -T --mtu a.example", "--mtu is for UDP and ICMP: a SYN carries no data to make it large", list},
		{"trace --resolver ns.example a.example", `--resolver: "ns.example" is not the address of a name server: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53`, list},
		{"trace --resolver 192.0.2.53:0 a.example", `--resolver: "192.0.2.53:0" is not the address of a name server: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53`, list},
		{"trace --json --dot a.example", "--json and --dot exclude each other", list},
		{"trace -46 a.example", "-4 and -6 exclude each other: -6 is for IPv6", list},
		{"trace -6 -g 192.0.2.1 a.example", "-6 and -g exclude each other: -g is for IPv4", list},
		{"trace -4 -s 2001:db8::1 a.example", "-4 and -s 2001:db8::1 exclude each other: -s 2001:db8::1 is for IPv6", list},
		{"trace -Il 5 192.0.2.1", "192.0.2.1 is not an IPv6 address", ""},
		{"trace -6 192.0.2.1", "192.0.2.1 is not an IPv6 address", ""},
		{"trace 192.0.2", "192.0.2 is not an IPv4 address: four numbers from 0 to 255, without leading zeros", ""},
		{"trace -D a.example", "-D is not available", "-I, -T and -U choose the probes"},
		{"trace --dccp a.example", "--dccp is not available", "-I, -T and -U choose the probes"},
		{"trace -UL a.example", "-L is not available", "UDP-Lite is not available; -U sends UDP to one port"},
		{"trace -M tcp a.example", "-M is not available", "-I, -T, -U and --classic choose the probes"},
		{"trace -O info a.example", "-O is not available", "each option that icmpx has is a flag of its own"},
		{"trace -P 47 a.example", "-P is not available", "-I, -T and -U choose the probes"},
		{"trace -r a.example", "-r is not available", "-i NAME chooses the interface"},
		{"trace -d a.example", "-d is not available", "-v says more about the run"},
		{"trace -mtu a.example", `-m (--max-hops): "tu" is not a whole number from 1 to 255`, "one dash begins one-letter flags; did you mean --mtu?"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			w := &world{uid: 1000}
			want := "icmpx: error: " + tt.err + "\n"
			if tt.hint != "" {
				want += "icmpx: hint: " + tt.hint + "\n"
			}
			w.want(t, w.run(t, strings.Fields(tt.args)...), exitError, "", want)
			if len(w.did) > 0 {
				t.Errorf("did %q", w.did)
			}
		})
	}
}

// TestTraceFlags holds that every flag of traceroute is either taken or refused
// by name.
func TestTraceFlags(t *testing.T) {
	cmd := findCommand("trace")
	for _, flag := range strings.Fields("-4 -6 -d -F -f -g -I -T -i -m -N -n -p -t -l -w -q -r -s -z -e -A -M -O -U -D -P -V " +
		"--debug --dont-fragment --first --gateway --icmp --tcp --interface --max-hops --sim-queries --port --tos --flowlabel " +
		"--wait --queries --source --sendwait --extensions --as-path-lookups --module --options --sport --fwmark --udp --dccp " +
		"--protocol --mtu --back --version --help") {
		if cmd.takes(flag) {
			continue
		}
		w := &world{}
		if code := w.run(t, "trace", flag, "1", "192.0.2.1"); code != exitError || !strings.HasPrefix(w.stderr.String(), "icmpx: error: "+flag+" is not available\n") {
			t.Errorf("%s: exit code %d, %q", flag, code, &w.stderr)
		}
	}
}

func TestReadWait(t *testing.T) {
	for _, tt := range []struct {
		in         string
		max        time.Duration
		here, near float64
	}{
		{"2", 2 * time.Second, -1, -1}, {"0.5,3", 500 * time.Millisecond, 3, -1}, {"5,3,10", 5 * time.Second, 3, 10}, {"200ms,0,1.5", 200 * time.Millisecond, -1, 1.5},
	} {
		r, v := &traceRun{}, &valueReader{cmd: findCommand("trace")}
		r.readWait(v, tt.in)
		if w := r.opts.Wait; v.err != nil || w.Max != tt.max || w.Here != tt.here || w.Near != tt.near {
			t.Errorf("%s: %+v, %v", tt.in, w, v.err)
		}
	}
	for in, want := range map[string]time.Duration{"0": 0, "0.5": 500 * time.Millisecond, "10": 10 * time.Second, "11": 11 * time.Millisecond, "500": 500 * time.Millisecond, "20s": 20 * time.Second} {
		r, v := &traceRun{}, &valueReader{cmd: findCommand("trace")}
		r.readSendWait(v, in)
		if v.err != nil || r.opts.SendWait != want {
			t.Errorf("-z %s: %v, %v", in, r.opts.SendWait, v.err)
		}
	}
}
