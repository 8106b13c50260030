package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/getopt"
	"github.com/icmpx/icmpx/icmpx"
)

// Limits of iputils' ping.
const (
	minUserInterval = 2 * time.Millisecond // least interval of ordinary users
	maxUserPreload  = 3                    // of ordinary users
	maxPreload      = 1 << 16

	floodInterval = 10 * time.Millisecond // of a flood that nobody answers

	// Least intervals of probes that many may answer.
	minGroupInterval  = time.Second
	minGroupInterval0 = 200 * time.Millisecond // of root
)

// pace settles how fast probes leave, within what this user may.
func (r *pingRun) pace(line *getopt.Line) error {
	given := line.Has("interval")
	switch {
	case r.raised:
	case given && r.opts.Interval < minUserInterval:
		return fmt.Errorf("cannot flood; minimal interval allowed for user is %v", minUserInterval)
	case r.flood && !given && !r.adaptive:
		return &usageError{
			err:  fmt.Errorf("cannot flood; minimal interval allowed for user is %v", minUserInterval),
			hint: "with -i 0.002, or as root",
		}
	case r.opts.Preload > maxUserPreload:
		return fmt.Errorf("cannot set preload to value greater than %d: %d", maxUserPreload, r.opts.Preload)
	default:
		r.opts.MinInterval = minUserInterval
	}
	r.opts.OnReply = r.adaptive || r.flood && !given
	if r.flood && !given {
		r.opts.Interval = floodInterval
	}
	return nil
}

// limit is a thing that a flag asks for and that some hosts must be spared.
type limit struct {
	flag  string
	asked bool
}

// checkFile holds what does not go with a payload of the user's.
func (r *pingRun) checkFile(line *getopt.Line) error {
	if r.file.name == "" {
		switch {
		case r.file.chunk > 0:
			return errors.New("--chunk is for --payload")
		case r.file.set:
			return errors.New("--retries is for --payload")
		}
		return nil
	}
	for _, l := range []limit{{"-s", line.Has("size")}, {"-p", line.Has("pattern")}} {
		if l.asked {
			return fmt.Errorf("%s does not go with --payload, which is the payload", l.flag)
		}
	}
	if r.file.chunk > 0 {
		return r.checkChunked()
	}
	return nil
}

// checkChunked holds what does not go with a payload in chunks, which has an
// end and a pace of its own.
func (r *pingRun) checkChunked() error {
	for _, l := range []limit{
		{"-c", r.opts.Count > 0}, {"-f", r.flood}, {"-A", r.adaptive}, {"-l", r.opts.Preload > 0}, {"-O", r.opts.Waiting},
	} {
		if l.asked {
			return fmt.Errorf("%s does not go with a payload in chunks, which ends when all has made the trip", l.flag)
		}
	}
	return nil
}

// checkGroup holds what hosts must be spared that a probe reaches many of:
// those behind a multicast or a broadcast address.
func (r *pingRun) checkGroup(name string, a netip.Addr, kind string) error {
	for _, l := range []limit{{"-f", r.flood}, {"-l", r.opts.Preload > 1}, {"--payload", r.file.name != ""}} {
		if l.asked {
			return fmt.Errorf("%s does not go with %s, which is a %s address", l.flag, name, kind)
		}
	}
	if least := r.groupInterval(); r.opts.Interval > 0 && r.opts.Interval < least {
		return fmt.Errorf("%s is a %s address: the least interval to one is %v", name, kind, least)
	}
	if kind == "broadcast" && icmpx.FamilyOf(a) == icmpx.IPv4 && !r.socket.Broadcast {
		return &usageError{err: fmt.Errorf("%s is a broadcast address", name), hint: "ping it with -b"}
	}
	return nil
}

// groupInterval is the least interval between probes that many may answer.
func (r *pingRun) groupInterval() time.Duration {
	if r.raised {
		return minGroupInterval0
	}
	return minGroupInterval
}
