package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestUsage holds what the command line refuses: exit code 2, nothing on
// standard output, no packet, no socket, one clear line and a hint.
func TestUsage(t *testing.T) {
	const list = "icmpx ping --help lists the flags"
	const seconds = "is not a time above 0 and up to 2147483 seconds, such as 0.2 or 200ms"
	tests := []struct{ args, err, hint string }{
		{"ping", "no host given", "icmpx ping HOST...; icmpx ping --help lists the flags"},
		{"ping -c1.1 127.0.0.1", `-c (--count): "1.1" is not a whole number from 1 up`, list},
		{"ping -c 0 127.0.0.1", `-c (--count): "0" is not a whole number from 1 up`, list},
		{"ping -c 99999999999999999999 127.0.0.1", `-c (--count): "99999999999999999999" is not a whole number from 1 up`, list},
		{"ping --count= 127.0.0.1", `-c (--count): "" is not a whole number from 1 up`, list},
		{"ping -w0.1 127.0.0.1", `-w (--deadline): "0.1" is not a whole number from 0 to 2147483`, list},
		{"ping -w0,1 127.0.0.1", `-w (--deadline): "0,1" is not a whole number from 0 to 2147483`, list},
		{"ping -i 0 127.0.0.1", `-i (--interval): "0" ` + seconds, list},
		{"ping -i -1 127.0.0.1", `-i (--interval): "-1" ` + seconds, list},
		{"ping -i 0,2 127.0.0.1", `-i (--interval): "0,2" ` + seconds, list},
		{"ping -W inf 127.0.0.1", `-W (--timeout): "inf" ` + seconds, list},
		{"ping -s 70000 127.0.0.1", `-s (--size): "70000" is not a whole number from 0 to 65527`, list},
		{"ping -s 65508 127.0.0.1", "-s 65508 does not fit into an IPv4 packet: at most 65507", ""},
		{"ping -t 300 127.0.0.1", `-t (--ttl): "300" is not a whole number from 1 to 255`, list},
		{"ping -t 0 127.0.0.1", `-t (--ttl): "0" is not a whole number from 1 to 255`, list},
		{"ping -M maybe 127.0.0.1", `-M (--pmtudisc): "maybe" is not one of do, want, dont, probe`, list},
		{"ping -I averyveryverylongname 127.0.0.1", `-I (--interface): "averyveryverylongname" is not an address of this host, nor the name of an interface`, list},
		{"ping -I ::1 -4 127.0.0.1", "-I ::1 is not an IPv4 address", list},
		{"ping -I ::1 127.0.0.1", "127.0.0.1 is not an IPv6 address", ""},
		{"ping -46 127.0.0.1", "-4 and -6 exclude each other", list},
		{"ping -4 ::1", "::1 is not an IPv4 address", ""},
		{"ping -6 127.0.0.1", "127.0.0.1 is not an IPv6 address", ""},
		{"ping -i 0.0019 127.0.0.1", "cannot flood; minimal interval allowed for user is 2ms", list},
		{"ping -Z 127.0.0.1", "unknown flag -Z", list},
		{"ping --bogus 127.0.0.1", "unknown flag --bogus", list},
		{"ping --cuont 1 127.0.0.1", "unknown flag --cuont", "did you mean --count?"},
		{"ping -c", "-c needs a value", list},
		{"ping --quiet=yes 127.0.0.1", "--quiet takes no value", list},
		{"ping -N name ::1", "-N is not available", "node information queries (RFC 4620) are answered by next to nobody, and not by Linux; ask the resolver"},
		{"ping -f 127.0.0.1", "cannot flood; minimal interval allowed for user is 2ms", "with -i 0.002, or as root"},
		{"ping -f -i 0.001 127.0.0.1", "cannot flood; minimal interval allowed for user is 2ms", list},
		{"ping -l 4 127.0.0.1", "cannot set preload to value greater than 3: 4", list},
		{"ping -l 0 127.0.0.1", `-l (--preload): "0" is not a whole number from 1 to 65536`, list},
		{"ping -l 70000 127.0.0.1", `-l (--preload): "70000" is not a whole number from 1 to 65536`, list},
		{"ping -p zz 127.0.0.1", `-p (--pattern): "zz" is not one to 16 bytes in hexadecimal, as in ff00`, list},
		{"ping --pattern= 127.0.0.1", `-p (--pattern): "" is not one to 16 bytes in hexadecimal, as in ff00`, list},
		{"ping -p 000102030405060708090a0b0c0d0e0f10 127.0.0.1", `-p (--pattern): "000102030405060708090a0b0c0d0e0f10" is not one to 16 bytes in hexadecimal, as in ff00`, list},
		{"ping -Q 256 127.0.0.1", `-Q (--tos): "256" is not a whole number from 0 to 255, decimal or 0x...`, list},
		{"ping -Q -1 127.0.0.1", `-Q (--tos): "-1" is not a whole number from 0 to 255, decimal or 0x...`, list},
		{"ping -Q 0x1ff 127.0.0.1", `-Q (--tos): "0x1ff" is not a whole number from 0 to 255, decimal or 0x...`, list},
		{"ping -F 0x100000 ::1", `-F (--flowlabel): "0x100000" is not a whole number from 0 to 1048575, decimal or 0x...`, list},
		{"ping -F 1 127.0.0.1", "127.0.0.1 is not an IPv6 address", ""},
		{"ping -4 -F 1 127.0.0.1", "-F is for IPv6 only", list},
		{"ping -6R ::1", "-R is for IPv4 only", list},
		{"ping -R ::1", "::1 is not an IPv4 address", ""},
		{"ping -R -T tsonly 127.0.0.1", "only one of -T or -R may be used", list},
		{"ping -T foo 127.0.0.1", `-T (--timestamp): "foo" is not one of tsonly, tsandaddr, tsprespec`, list},
		{"ping -T tsprespec 127.0.0.1", "-T tsprespec takes one to four IPv4 addresses, and then the host", list},
		{"ping -T tsprespec 1 127.0.0.1", `-T tsprespec: "1" is not an IPv4 address`, list},
		{"ping -e 65536 127.0.0.1", `-e (--identifier): "65536" is not a whole number from 0 to 65535, decimal or 0x...`, list},
		{"ping -m -1 127.0.0.1", `-m (--mark): "-1" is not a whole number from 0 to 4294967295, decimal or 0x...`, list},
		{"ping -C 127.0.0.1 127.0.0.2", "-C connects the socket to one host, and there are several", list},
		{"ping -I lo -I eth0 127.0.0.1", "-I eth0: the interface is lo already", list},
		{"ping -I 127.0.0.1 -I 127.0.0.2 127.0.0.1", "-I 127.0.0.2: the source address is 127.0.0.1 already", list},
		{"ping -i 0.5 224.0.0.1", "224.0.0.1 is a multicast address: the least interval to one is 1s", ""},
		{"ping -l 2 ff02::1", "-l does not go with ff02::1, which is a multicast address", ""},
		{"ping -f -i 2 ff02::1", "-f does not go with ff02::1, which is a multicast address", ""},
		{"ping --payload x ff02::1", "--payload does not go with ff02::1, which is a multicast address", ""},
		{"ping --payload x -s 100 127.0.0.1", "-s does not go with --payload, which is the payload", list},
		{"ping --payload x -p ff 127.0.0.1", "-p does not go with --payload, which is the payload", list},
		{"ping --payload x --chunk 100 -c 3 127.0.0.1", "-c does not go with a payload in chunks, which ends when all has made the trip", list},
		{"ping --payload x --chunk 100 -O 127.0.0.1", "-O does not go with a payload in chunks, which ends when all has made the trip", list},
		{"ping --payload x --chunk 0 127.0.0.1", `--chunk: "0" is not a whole number from 1 to 65527`, list},
		{"ping --payload= 127.0.0.1", `--payload: "" is not a file`, list},
		{"ping --chunk 100 127.0.0.1", "--chunk is for --payload", list},
		{"ping --retries 1 127.0.0.1", "--retries is for --payload", list},
		{"ping -json 127.0.0.1", `-s (--size): "on" is not a whole number from 0 to 65527`, "one dash begins one-letter flags; did you mean --json?"},
		{"ping -count=3 127.0.0.1", `-c (--count): "ount=3" is not a whole number from 1 up`, "one dash begins one-letter flags; did you mean --count?"},
		{"ping 127.1", "127.1 is not an IPv4 address: four numbers from 0 to 255, without leading zeros", ""},
		{"pong", "unknown command pong", "did you mean icmpx ping?"},
		{"juggle", "unknown command juggle", "icmpx help lists the commands"},
		{"help pong", "unknown command pong", "did you mean icmpx ping?"},
		{"--nope", "unknown flag --nope", "icmpx --help lists the flags"},
		{"-c1 127.0.0.1", "no command given", "flags follow the command: icmpx ping -c ..."},
		{"\x1b[31m", `unknown command \x1b[31m`, "icmpx help lists the commands"},
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

// TestRefusedFlags holds that every flag of iputils' ping is either taken or
// refused by name.
func TestRefusedFlags(t *testing.T) {
	for _, letter := range "346aAbBcCDdefFhHiIjlLmMnNOpPqQrRsStTUvVwW" {
		flag := "-" + string(letter)
		if findCommand("ping").takes(flag) {
			continue
		}
		w := &world{}
		if code := w.run(t, "ping", flag, "1", "127.0.0.1"); code != exitError || !strings.HasPrefix(w.stderr.String(), "icmpx: error: "+flag+" is not available\n") {
			t.Errorf("%s: exit code %d, %q", flag, code, &w.stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	tests := []struct {
		args         string
		code         int
		stdout, what string // where it goes: standard output or error
	}{
		{"", exitError, "", "Usage: icmpx COMMAND"},
		{"--", exitError, "", "Usage: icmpx COMMAND"},
		{"--help", exitOK, "Usage: icmpx COMMAND", ""},
		{"-h", exitOK, "Usage: icmpx COMMAND", ""},
		{"help", exitOK, "Usage: icmpx COMMAND", ""},
		{"help ping", exitOK, "Usage: icmpx ping [flags] HOST...\n\nSend echo requests", ""},
		{"ping --help", exitOK, "Usage: icmpx ping [flags] HOST...\n\nSend echo requests", ""},
		{"ping -qh", exitOK, "Usage: icmpx ping", ""},
		{"ping host -c1 -h", exitOK, "Usage: icmpx ping", ""},
		{"--version", exitOK, "icmpx test\n", ""},
		{"-V", exitOK, "icmpx test\n", ""},
		{"ping -V", exitOK, "icmpx test\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			w := &world{}
			code := w.run(t, strings.Fields(tt.args)...)
			starts := func(s, prefix string) bool {
				return s == "" && prefix == "" || prefix != "" && strings.HasPrefix(s, prefix)
			}
			if code != tt.code || !starts(w.stdout.String(), tt.stdout) || !starts(w.stderr.String(), tt.what) {
				t.Errorf("exit code %d, standard output %q, error %q", code, &w.stdout, &w.stderr)
			}
		})
	}
}

// TestHelpIsComplete holds that the help of a command shows every flag.
func TestHelpIsComplete(t *testing.T) {
	for i, c := range commands() {
		if name := makers()[i].name; name != c.name {
			t.Errorf("icmpx %s makes %s", name, c.name)
		}
		w := &world{}
		w.run(t, "help", c.name)
		for _, f := range c.grammar() {
			if f.Refused {
				continue
			}
			line := "    --" + f.Long
			if f.Short != 0 {
				line = "  -" + string(f.Short) + ", --" + f.Long
			}
			if help := w.stdout.String(); !strings.Contains(help, line+" ") && !strings.Contains(help, line+"\n") {
				t.Errorf("icmpx %s: no line %q", c.name, line)
			}
		}
		list, _, _ := strings.Cut(w.stdout.String(), "Examples:")
		for line := range strings.Lines(list) {
			if len(line)-1 > helpWidth {
				t.Errorf("icmpx %s: %d columns: %q", c.name, len(line)-1, line)
			}
		}
	}
}

func TestWriteColumns(t *testing.T) {
	const rest = "                          "
	for _, tt := range []struct{ left, right, want string }{
		{"-q", "short", "  -q" + rest[4:] + "short\n"},
		{"-q", strings.Repeat("x ", 27) + "y", "  -q" + rest[4:] + strings.Repeat("x ", 26) + "x\n" + rest + "y\n"},
		{"-q", strings.Repeat("x", 60) + " y", "  -q" + rest[4:] + strings.Repeat("x", 60) + "\n" + rest + "y\n"},
		{"--of-twenty-three-bytes", "short", "  --of-twenty-three-bytes short\n"},
		{"--of-twenty-four-bytes-x", "short", "  --of-twenty-four-bytes-x\n" + rest + "short\n"},
		{"-q", "", "  -q\n"},
	} {
		var b strings.Builder
		if writeColumns(&b, tt.left, tt.right); b.String() != tt.want {
			t.Errorf("%q, %q: got %q, want %q", tt.left, tt.right, b.String(), tt.want)
		}
	}
}

// TestHostsLikeCommands pings hosts whose names are words of the command line.
func TestHostsLikeCommands(t *testing.T) {
	w := &world{net: network(), names: map[string][]string{
		"help": {"198.51.100.1"}, "h": {"198.51.100.1"}, "ping": {"198.51.100.1"}, "version": {"198.51.100.1"},
	}}
	if code := w.run(t, "ping", "-qc1", "help", "h", "ping", "--", "version"); code != exitOK {
		t.Errorf("exit code %d: %s", code, &w.stderr)
	}
}

func TestParseDuration(t *testing.T) {
	const bad = -1
	tests := []struct {
		in   string
		want time.Duration
	}{
		{"1", time.Second}, {"0.2", 200 * time.Millisecond}, {".5", 500 * time.Millisecond}, {"2.", 2 * time.Second}, {"0", 0},
		{"200ms", 200 * time.Millisecond}, {"1m30s", 90 * time.Second}, {"0.000000001", 1}, {"0.002", 2 * time.Millisecond},
		{"", bad}, {".", bad}, {"1.2.3", bad}, {"0,2", bad}, {"1e3", bad}, {"0x10", bad}, {"NaN", bad}, {"Inf", bad}, {"ms", bad},
		{" 1", bad}, {"1 s", bad}, {"99999999999", bad}, {strings.Repeat("0", 40), bad},
	}
	for _, tt := range tests {
		got, err := parseDuration(tt.in)
		if err != nil {
			got = bad
		}
		if got != tt.want {
			t.Errorf("%q: got %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"1", "0.2", "200ms", "-1", "1e999", "..", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDuration(s)
		if err == nil && strings.Trim(s, "0123456789.") == "" && (d < 0 || d > (maxSeconds+1)*time.Second) {
			t.Errorf("%q is %v", s, d)
		}
		if math.Signbit(d.Seconds()) && !strings.HasPrefix(s, "-") {
			t.Errorf("%q is %v", s, d)
		}
	})
}

func TestParseLiteral(t *testing.T) {
	tests := []struct{ in, addr, err string }{
		{"192.0.2.1", "192.0.2.1", ""},
		{"2001:db8::1", "2001:db8::1", ""},
		{"::ffff:192.0.2.1", "192.0.2.1", ""},
		{"fe80::1", "fe80::1", ""},
		{"fe80::1%lo", "fe80::1%lo", ""},
		{"fe80::1%1", "fe80::1%1", ""},
		{"ff02::1%lo", "ff02::1%lo", ""},
		{"a.example", "", ""},
		{"a.example.", "", ""},
		{"help", "", ""},
		{"1a.example", "", ""},
		{"0xface.example", "", ""},
		{"", "", "a host is empty"},
		{"2001:db8::1%lo", "", "2001:db8::1%lo has a zone and is not link-local"},
		{"fe80::1%nowhere9", "", "fe80::1%nowhere9: there is no interface nowhere9"},
		{"fe80::1%99999", "", "fe80::1%99999: there is no interface 99999"},
		{"[::1]", "", "[::1] is neither an address nor a name"},
		{"::1%", "", "::1% is neither an address nor a name"},
		{"192.0.2.1/24", "", "192.0.2.1/24 is neither an address nor a name"},
		{"a b", "", "a b is neither an address nor a name"},
		{"192.0.2.01", "", "192.0.2.01 is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
		{"192.0.2", "", "192.0.2 is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
		{"256.0.0.1", "", "256.0.0.1 is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
		{"3221225985", "", "3221225985 is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
		{"0xc0.0.2.0X1", "", "0xc0.0.2.0X1 is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
		{"192.0.2.1.", "", "192.0.2.1. is not an IPv4 address: four numbers from 0 to 255, without leading zeros"},
	}
	for _, tt := range tests {
		a, literal, err := parseLiteral(tt.in)
		got, gotErr := "", ""
		if err != nil {
			gotErr = err.Error()
		} else if literal {
			got = a.String()
		}
		if got != tt.addr || gotErr != tt.err {
			t.Errorf("%q: got %q, %q; want %q, %q", tt.in, got, gotErr, tt.addr, tt.err)
		}
	}
}
