// Package trace finds the routers on the way to a host, and says what is odd
// about them. It is strategy alone: it chooses which TTL to ask next and judges
// what comes back. A [probe.Engine] sends and receives for it.
//
//	engine := probe.New(probe.Config{}, link)
//	result, err := trace.Run(ctx, engine, dst, trace.Options{}, func(ev *trace.Event) {
//		if ev.Row != nil {
//			// rows come in order of TTL, as soon as they are final
//		}
//	})
//
// # How it asks
//
// All TTLs of a window of 32 are asked at once, lowest first, and again 10 ms
// later until each was asked [Options].Queries times: a path takes one round
// trip, however long it is. Once the end of the path has spoken, only what lies
// before it is asked. A longer path moves the window on.
//
// What is silent is asked again, all together, when it is overdue; what is
// silent after that second wait stays a star. Silence thus costs two waits in
// all. At a dark end the other methods ask the destination too, in the moment of
// the second wait.
//
// The files hold one idea each, with its rules numbered above the function that
// implements them: plan.go (what is asked when), window.go (up to which TTL),
// end.go (what ends a path), silence.go (how long to wait, and what then),
// limit.go and pace.go (routers that answer only so often), rows.go (when a row
// is final), quote.go (what happened to a probe on its way), and finding*.go (what it all
// means).
package trace
