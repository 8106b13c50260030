package probe

import (
	"bytes"
	"testing"

	"github.com/icmpx/icmpx/icmpx"
)

// TestRepliesAreCopied has a link use its buffers again: what a callback gets,
// and what a clone holds, must stay.
func TestRepliesAreCopied(t *testing.T) {
	buf := []byte("payload quote ext options")
	r := Result{Reply: icmpx.Reply{Payload: buf[:7], Quote: icmpx.Quote{Payload: buf[8:13]}, Ext: buf[14:17], Options: buf[18:]}}
	check := func(what string, r *icmpx.Reply) {
		t.Helper()
		got := bytes.Join([][]byte{r.Payload, r.Quote.Payload, r.Ext, r.Options}, []byte(" "))
		if string(got) != "payload quote ext options" {
			t.Errorf("%s holds %q", what, got)
		}
	}
	clone := r.Clone()
	item := delivery{result: r}
	item.keep()
	clear(buf)
	check("clone", &clone.Reply)
	check("delivery", &item.result.Reply)
	clear(item.buf)
	check("clone", &clone.Reply)
}
