package probetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attributes reads KEY=VALUE and flags into a hop.
func (h *Hop) attributes(args []string) error {
	return eachAttribute(args, func(key, value string, has bool) error {
		if flag, ok := hopFlags[key]; ok {
			if has {
				return fmt.Errorf("takes no value")
			}
			*flag(h) = true
			return nil
		}
		set, ok := hopValues[key]
		switch {
		case !ok:
			return fmt.Errorf("unknown attribute")
		case !has:
			return fmt.Errorf("takes a value")
		}
		return set(h, value)
	})
}

// eachAttribute calls f for each of the arguments, of which none may have the
// key of another.
func eachAttribute(args []string, f func(key, value string, has bool) error) error {
	var seen []string
	for _, arg := range args {
		key, value, has := strings.Cut(arg, "=")
		if slices.Contains(seen, key) {
			return fmt.Errorf("%s: given twice", key)
		}
		seen = append(seen, key)
		if err := f(key, value, has); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

var hopFlags = map[string]func(*Hop) *bool{
	"silent":    func(h *Hop) *bool { return &h.Silent },
	"drop":      func(h *Hop) *bool { return &h.Drop },
	"notoobig":  func(h *Hop) *bool { return &h.NoTooBig },
	"perpacket": func(h *Hop) *bool { return &h.PerPacket },
}

var hopValues = map[string]func(*Hop, string) error{
	"rtt":       value(parseTime, func(h *Hop) *time.Duration { return &h.RTT }),
	"delay":     value(parseTime, func(h *Hop) *time.Duration { return &h.Delay }),
	"jitter":    value(parseTime, func(h *Hop) *time.Duration { return &h.Jitter }),
	"loss":      value(parseShare, func(h *Hop) *float64 { return &h.Loss }),
	"forward":   value(parsePolicer, func(h *Hop) *Policer { return &h.Forward }),
	"answers":   value(parsePolicer, func(h *Hop) *Policer { return &h.Answers }),
	"mtu":       value(parseCount, func(h *Hop) *int { return &h.MTU }),
	"claim":     value(parseClaim, func(h *Hop) *int { return &h.Claim }),
	"returnmtu": value(parseCount, func(h *Hop) *int { return &h.ReturnMTU }),
	"reject":    value(parseError, func(h *Hop) *Error { return &h.Reject }),
	"nat":       setNAT,
	"tos":       setTOS,
	"quotelen":  value(parseCount, func(h *Hop) *int { return &h.QuoteLen }),
	"quotettl":  value(parseUint[uint8], func(h *Hop) *uint8 { return &h.QuoteTTL }),
	"ext":       value(parseHex, func(h *Hop) *[]byte { return &h.Ext }),
	"mpls":      value(parseMPLS, func(h *Hop) *[]byte { return &h.Ext }),
	"replyttl":  value(parseUint[uint8], func(h *Hop) *uint8 { return &h.ReplyTTL }),
	"udp":       value(parseList(parseUint[uint16]), func(h *Hop) *[]uint16 { return &h.OpenUDP }),
	"tcp":       value(parseList(parseUint[uint16]), func(h *Hop) *[]uint16 { return &h.OpenTCP }),
	"salt":      value(parseUint[uint32], func(h *Hop) *uint32 { return &h.Salt }),
}

func value[T any](parse func(string) (T, error), field func(*Hop) *T) func(*Hop, string) error {
	return func(h *Hop, s string) (err error) {
		*field(h), err = parse(s)
		return err
	}
}

// parseClaim reads the MTU that a router reports; 0 is one that reports 0.
func parseClaim(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err == nil && n == 0 {
		return -1, nil
	}
	return int(n), err
}

func setNAT(h *Hop, s string) (err error) {
	h.NAT, err = parseAddr(s)
	return err
}

func setTOS(h *Hop, s string) error {
	tos, err := parseUint[uint8](s)
	h.TOS = &tos
	return err
}
