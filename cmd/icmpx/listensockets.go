package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/owner"
)

// processCapabilities are what looking into the processes of others takes.
const processCapabilities = "cap_sys_ptrace,cap_dac_read_search"

// listSockets carries out "icmpx listen --sockets".
func listSockets(sys *system, json bool) (int, error) {
	if err := sys.dropToProcesses(); err != nil && !errors.Is(err, icmpx.ErrPrivilegesKept) {
		return 0, fmt.Errorf("drop privileges: %w", err)
	}
	h, err := owner.List(sys.proc)
	if err != nil {
		return 0, fmt.Errorf("list sockets: %w", err)
	}
	var b []byte
	if json {
		b = render.AppendSocketsJSON(b, &h, time.Now())
	} else {
		b = render.AppendSockets(b, &h)
	}
	if err := say(sys.stdout, string(b)); err != nil {
		return 0, err
	}
	if h.Hidden > 0 {
		b = fmt.Appendf(nil, "icmpx: processes that may not be looked at: %d; sockets and their processes may be missing\n", h.Hidden)
		// Listening takes CAP_NET_RAW, which setcap would take away if it were left out.
		hint := grantHint("cap_net_raw," + processCapabilities)
		if sys.uid == 0 { // and yet some are out of reach
			hint = ""
		}
		_, _ = sys.stderr.Write(appendHint(b, hint)) // there is nobody left to tell
	}
	return exitOK, nil
}
