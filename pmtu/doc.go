// Package pmtu finds the path MTU to a host, what limits it, and where packets
// that are too big vanish. It is strategy alone: it chooses which size and which
// TTL to ask next and judges what comes back. A [probe.Engine] sends and receives
// for it.
//
//	engine := probe.New(probe.Config{}, links...)
//	result, err := pmtu.Discover(ctx, engine, dst, pmtu.Options{LinkMTU: 1500}, nil)
//	fmt.Println(result.Verdict, result.PMTU)
//
// # How it asks
//
// Probes may not be fragmented. One burst tries the sizes that links and tunnels
// have; what arrives and what does not leaves a gap in which the path MTU is. What
// routers say about it is tested, not believed; else the gap is divided, several
// sizes at once, until two neighbouring sizes remain of which one passes and the
// other does not. A refusal that carries the probe's secret proves that; silence
// must be proven by repetition, among controls that are answered. Then, or
// meanwhile, packets that are one byte too large are sent to each hop by their
// TTL: those in front of the small link answer.
//
// All that is known is a log of probes. What to ask next follows from the log
// alone, so late answers, lost ones and paths that change need no states of their
// own.
//
// # What it costs
//
// Where routers speak, two to four round trips and about 25 packets. Where packets
// vanish, about 40 packets and four to six waits of three round trips, at least 50
// ms each. Never more than Options.MaxPackets packets (200), each of at most the
// interface's MTU, hence 300,000 bytes on an Ethernet; and never longer than
// Options.Timeout (30 s).
//
// Most of what is learned where packets vanish comes from ICMP errors, which hosts
// and routers limit. That is told from loss by its order: what was asked last is
// what has no answer. Then the questions are spaced, and ordered such that the one
// answer that is left says most.
//
// The files hold one idea each, with its rules numbered above the function that
// implements them: plan.go (what comes when), ladder.go (the usual sizes), sizes.go
// (closing gaps), table.go (what is known of sizes), loss.go (how much silence
// proves), starved.go (limits on answers), book.go (what answers mean), conflict.go
// (contradictions), locate.go (hops), beside.go (the other method, other flows and
// the way back), mute.go (silent destinations), verdict.go and conclude.go (what
// follows), and judge.go and doubt.go (what it means for people).
package pmtu
