package icmpx

import "testing"

func TestPortFlowLabel(t *testing.T) {
	for _, tt := range []struct {
		f     Family
		label uint32
		ok    bool
	}{
		{IPv6, 0, true}, {IPv6, 1, true}, {IPv6, 0xfffff, true}, {IPv6, 0x100000, false}, {IPv4, 0, true}, {IPv4, 1, false},
	} {
		c := PortConfig{Family: tt.f, FlowLabel: tt.label}
		if err := c.validate("udp"); (err == nil) != tt.ok {
			t.Errorf("%v flow label %#x: %v", tt.f, tt.label, err)
		}
	}
	own, asked := flow{sport: 1, dport: 2}, flow{sport: 1, dport: 2, asked: 0xabcde}
	if asked.label() != 0xabcde || own.label() == 0xabcde || own.label() > 0xfffff {
		t.Errorf("labels %#x and %#x", asked.label(), own.label())
	}
}
