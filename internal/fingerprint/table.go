package fingerprint

import "github.com/icmpx/icmpx/icmpx"

// A mark is how much the data of a probe say about who made it.
type mark uint8

const (
	plain    mark = iota // many programs send that
	shared               // a few do
	peculiar             // no other does that is known
)

// A signature describes what one program sends, with one set of options.
type signature struct {
	tool   string
	note   string       // what about the program, or its options
	family icmpx.Family // 0: both
	query  query
	shape  shape
	mark   mark
	must   []clue // that have to fit
	habits []clue // that speak for it, or against it
}

// tokenNote goes with programs whose payload begins with a secret.
const tokenNote = "its token cannot be checked: any 8 bytes look like it"

// signatures is the table. All of it is known to the linker: nothing is computed
// when the program starts.
var signatures = [...]signature{
	// Linux.
	{tool: "iputils ping", shape: time64Count10, mark: peculiar,
		habits: []clue{{seqFrom, 1, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {clockNow, 0, 0}}},
	{tool: "iputils ping", note: "with a pattern (-p)", shape: time64Pattern, mark: shared,
		habits: []clue{{seqFrom, 1, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {clockNow, 0, 0}}},
	{tool: "iputils ping", note: "less than 16 bytes (-s)", shape: countFrom00, mark: shared,
		must:   []clue{{sizeUnder, 16, 0}},
		habits: []clue{{seqFrom, 1, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}}},
	{tool: "iputils ping", note: "without data (-s 0)", shape: empty, mark: plain,
		must:   []clue{{seqFrom, 1, 0}},
		habits: []clue{{startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}}},
	{tool: "iputils ping", note: "on a 32-bit system", shape: time32Count, mark: shared,
		habits: []clue{{seqFrom, 1, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {clockNow, 0, 0}}},
	{tool: "GNU inetutils ping", shape: time64Count00, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {clockNow, 0, 0}}},
	{tool: "GNU inetutils ping", note: "less than 16 bytes (-s)", shape: countFrom00, mark: shared,
		must:   []clue{{sizeUnder, 16, 0}},
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}}},
	{tool: "GNU inetutils ping", note: "--timestamp", query: timestamp, shape: threeTimes, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {setsDF, 0, 0}}},
	{tool: "GNU inetutils ping", note: "--address", query: mask, shape: zeroMask, mark: plain,
		must: []clue{{setsDF, 0, 0}}, habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}}},
	{tool: "BusyBox ping", shape: micros, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {hasSize, 56, 0}}},
	{tool: "fping", shape: zeros, mark: shared,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {hasSize, 56, 0}}},
	{tool: "fping", note: "random data (-R)", shape: unseeded, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}}},
	{tool: "oping", note: "liboping", shape: liboping, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {setsDF, 0, 0}, {hasSize, 56, 0}}},
	{tool: "pro-bing", note: "a library for Go", shape: nanosUUID, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {hasSize, 24, 0}, {clockNow, 0, 0}}},
	{tool: "icmpx ping", note: tokenNote, shape: tokenCount, mark: plain,
		habits: []clue{{seqFrom, 1, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}}},
	{tool: "icmpx trace", note: tokenNote, shape: fillerCount, mark: shared,
		habits: []clue{{seqFrom, 1, 0}, {traces, 0, 0}, {hasSize, 32, 0}}},
	{tool: "icmpx trace", note: tokenNote, query: datagram, shape: fillerCount, mark: shared,
		habits: []clue{{hasSize, 32, 0}}},

	// BSD, macOS, Solaris.
	{tool: "BSD ping", note: "or Solaris, or another old one", shape: time32Count, mark: shared,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 255, 0}, {steadyTTL, 0, 0}, {clearsDF, 0, 0}}},
	{tool: "FreeBSD or macOS ping", shape: netTimeCount, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {clearsDF, 0, 0}, {clockNow, 0, 0}}},
	{tool: "OpenBSD ping", family: icmpx.IPv4, shape: macCount, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 255, 0}, {steadyTTL, 0, 0}, {clearsDF, 0, 0}}},
	{tool: "OpenBSD ping", family: icmpx.IPv6, shape: macCount, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}}},

	// Windows.
	{tool: "Windows ping", shape: alphabet, mark: peculiar,
		habits: []clue{{startTTL, 128, 0}, {steadyTTL, 0, 0}, {clearsDF, 0, 0}, {hasSize, 32, 0}}},
	{tool: "Windows ping", note: "without data (-l 0)", family: icmpx.IPv4, shape: empty, mark: plain,
		must: []clue{{startTTL, 128, 0}}, habits: []clue{{clearsDF, 0, 0}, {steadyTTL, 0, 0}}},
	{tool: "Windows tracert", family: icmpx.IPv4, shape: zeros, mark: plain,
		must: []clue{{hasSize, 64, 0}, {traces, 0, 0}}, habits: []clue{{clearsDF, 0, 0}, {idIs, 1, 0}}},
	{tool: "Windows slow-link test", note: "2000 and XP: a picture in pings, from a domain member to its controller", shape: jpegStart, mark: peculiar,
		habits: []clue{{startTTL, 128, 0}, {steadyTTL, 0, 0}, {hasSize, 2048, 0}}},
	{tool: "Exchange directory access", note: "DSAccess of Exchange 2000 and 2003, asking if a controller is alive", shape: questionMark, mark: peculiar,
		habits: []clue{{startTTL, 128, 0}, {steadyTTL, 0, 0}, {clearsDF, 0, 0}}},
	{tool: "Cisco IOS ping", shape: uptimeABCD, mark: peculiar,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 255, 0}, {clearsDF, 0, 0}, {hasSize, 72, 0}}},

	// Crafters and scanners.
	{tool: "hping3", family: icmpx.IPv4, shape: empty, mark: plain,
		must: []clue{{seqSwaps, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{startTTL, 64, 0}}},
	{tool: "hping3", note: "with data (-d)", family: icmpx.IPv4, shape: letterX, mark: peculiar,
		habits: []clue{{seqSwaps, 0, 0}, {startTTL, 64, 0}, {clearsDF, 0, 0}}},
	{tool: "hping3", note: "--icmp-ts", query: timestamp, shape: originate, mark: shared,
		must: []clue{{clearsDF, 0, 0}}, habits: []clue{{seqSwaps, 0, 0}, {startTTL, 64, 0}}},
	{tool: "hping3", note: "--icmp-addr", query: mask, shape: zeroMask, mark: plain,
		must: []clue{{clearsDF, 0, 0}}, habits: []clue{{seqSwaps, 0, 0}, {startTTL, 64, 0}}},
	{tool: "nping", family: icmpx.IPv4, shape: empty, mark: plain,
		must: []clue{{seqFrom, 1, 0}, {ipidStays, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{startTTL, 64, 0}}},
	{tool: "nping", note: "--data-length", family: icmpx.IPv4, shape: anything, mark: plain,
		must: []clue{{seqFrom, 1, 0}, {ipidStays, 0, 0}, {clearsDF, 0, 0}, {sameData, 0, 0}}, habits: []clue{{startTTL, 64, 0}}},
	{tool: "nping", note: "--icmp-type timestamp", query: timestamp, shape: noTimes, mark: shared,
		must: []clue{{seqFrom, 1, 0}, {ipidStays, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{startTTL, 64, 0}}},
	{tool: "nmap", note: "-PE", family: icmpx.IPv4, shape: empty, mark: plain,
		must: []clue{{seqStays, 0, 0}, {once, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{rangeTTL, 37, 59}}},
	{tool: "nmap", note: "-6 -PE", family: icmpx.IPv6, shape: empty, mark: plain,
		must: []clue{{seqStays, 0, 0}, {once, 0, 0}}, habits: []clue{{startTTL, 255, 0}}},
	{tool: "nmap", note: "-PE --data-length", family: icmpx.IPv4, shape: anything, mark: plain,
		must: []clue{{seqStays, 0, 0}, {once, 0, 0}, {clearsDF, 0, 0}, {rangeTTL, 37, 59}}},
	{tool: "nmap", note: "-PP", query: timestamp, shape: noTimes, mark: shared,
		must: []clue{{seqStays, 0, 0}, {once, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{rangeTTL, 37, 59}}},
	{tool: "nmap", note: "-PM", query: mask, shape: zeroMask, mark: plain,
		must: []clue{{seqStays, 0, 0}, {once, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{rangeTTL, 37, 59}}},
	{tool: "nmap", note: "-O, its first probe", shape: zeros, mark: peculiar,
		must: []clue{{hasSize, 120, 0}, {seqStays, 295, 0}}, habits: []clue{{hasCode, 9, 0}, {setsDF, 0, 0}}},
	{tool: "nmap", note: "-O, its second probe", shape: zeros, mark: peculiar,
		must: []clue{{hasSize, 150, 0}, {seqStays, 296, 0}}, habits: []clue{{hasTOS, 4, 0}, {clearsDF, 0, 0}}},
	{tool: "nmap", note: "-O, to a closed UDP port", query: datagram, shape: letterC, mark: peculiar,
		must: []clue{{hasSize, 300, 0}}, habits: []clue{{clearsDF, 0, 0}, {ipidIs, 0x1042, 0}}},
	{tool: "masscan", note: "--ping", shape: countFrom08, mark: shared,
		must: []clue{{hasSize, 48, 0}}, habits: []clue{{startTTL, 255, 0}, {clearsDF, 0, 0}}},
	{tool: "zmap", note: "before 3.0", family: icmpx.IPv4, shape: zeros, mark: peculiar,
		must: []clue{{hasSize, 12, 0}, {ipidIs, 54321, 0}}, habits: []clue{{seqStays, 0, 0}, {startTTL, 255, 0}, {clearsDF, 0, 0}}},
	{tool: "zmap", note: "3.0 or 4.0", family: icmpx.IPv4, shape: zeros, mark: peculiar,
		must: []clue{{hasSize, 20, 0}, {ipidIs, 54321, 0}}, habits: []clue{{startTTL, 255, 0}, {clearsDF, 0, 0}}},
	{tool: "zmap", note: "4.1 or later", family: icmpx.IPv4, shape: zeros, mark: shared,
		must: []clue{{hasSize, 20, 0}, {once, 0, 0}, {clearsDF, 0, 0}}, habits: []clue{{startTTL, 64, 0}}},

	// Programs that look for paths.
	{tool: "scamper ping", shape: zeros, mark: shared,
		habits: []clue{{seqFrom, 0, 0}, {startTTL, 64, 0}, {steadyTTL, 0, 0}, {setsDF, 0, 0}, {hasSize, 56, 0}}},
	{tool: "scamper trace", note: "icmp-paris", shape: twoBytes, mark: shared,
		must: []clue{{hasSize, 16, 0}, {traces, 0, 0}}, habits: []clue{{seqFrom, 0, 0}, {idTop, 0, 0}, {setsDF, 0, 0}, {ipidCounts, 0, 0}}},
	{tool: "scamper trace", note: "udp-paris", query: datagram, shape: twoBytes, mark: shared,
		must: []clue{{hasSize, 16, 0}}, habits: []clue{{setsDF, 0, 0}}},
	{tool: "mtr", shape: zeros, mark: shared,
		must: []clue{{traces, 0, 0}}, habits: []clue{{seqAtMost, 33000, 0}, {clearsDF, 0, 0}}},
	{tool: "mtr", note: "-u", query: datagram, shape: zeros, mark: shared,
		must: []clue{{portFrom, 33000, 0}}, habits: []clue{{hasSize, 36, 0}, {clearsDF, 0, 0}}},
	{tool: "traceroute", note: "for Linux, -I", shape: countFrom48, mark: peculiar,
		habits: []clue{{seqFrom, 1, 0}, {traces, 0, 0}, {clearsDF, 0, 0}, {hasSize, 32, 0}}},
	{tool: "traceroute", note: "for Linux", query: datagram, shape: countFrom40, mark: peculiar,
		habits: []clue{{portFrom, 33434, 0}}},
	{tool: "GNU inetutils traceroute", note: "-M icmp", shape: countFrom08, mark: shared,
		must: []clue{{hasSize, 24, 0}}, habits: []clue{{traces, 0, 0}, {seqFrom, 0, 0}, {setsDF, 0, 0}}},
	{tool: "GNU inetutils traceroute", query: datagram, shape: superman, mark: peculiar,
		habits: []clue{{setsDF, 0, 0}}},
	{tool: "BusyBox traceroute", query: datagram, shape: seqTTL, mark: shared,
		must: []clue{{hasSize, 18, 0}}, habits: []clue{{portFrom, 33435, 0}, {setsDF, 0, 0}}},
	{tool: "tracepath", query: datagram, shape: anything, mark: plain,
		must: []clue{{portFrom, 44444, 0}}, habits: []clue{{setsDF, 0, 0}}},
	{tool: "rltraceroute6", note: "ndisc6", family: icmpx.IPv6, shape: zeros, mark: shared,
		must: []clue{{hasSize, 12, 0}, {hopSeq, 0, 0}}, habits: []clue{{traces, 0, 0}}},
}
