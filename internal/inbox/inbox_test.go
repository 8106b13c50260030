package inbox_test

import (
	"testing"

	"github.com/icmpx/icmpx/internal/inbox"
	"github.com/icmpx/icmpx/probe"
)

func TestInbox(t *testing.T) {
	b := inbox.New()
	b.Put(probe.Result{Fate: probe.Answered})
	b.Put(probe.Result{Fate: probe.Extra})
	select {
	case <-b.Wake():
	default:
		t.Fatal("no token")
	}
	select {
	case <-b.Wake():
		t.Fatal("a token for each result")
	default:
	}
	list := b.Take()
	if len(list) != 2 || list[0].Fate != probe.Answered || list[1].Fate != probe.Extra {
		t.Errorf("took %v", list)
	}
	if again := b.Take(); len(again) != 0 {
		t.Errorf("took %v twice", again)
	}
}

// A flood of what decides nothing is bounded, and keeps out nothing that decides.
func TestFlood(t *testing.T) {
	b := inbox.New()
	for range 10_000 {
		b.Put(probe.Result{Fate: probe.Extra})
	}
	b.Put(probe.Result{Fate: probe.Answered})
	list := b.Take()
	if len(list) != 4097 || list[4096].Fate != probe.Answered {
		t.Errorf("took %d results", len(list))
	}
}

func TestClosed(t *testing.T) {
	b := inbox.New()
	b.Put(probe.Result{Fate: probe.Answered})
	b.Close()
	b.Put(probe.Result{Fate: probe.Answered})
	if list := b.Take(); len(list) != 0 {
		t.Errorf("took %v from a closed inbox", list)
	}
}
