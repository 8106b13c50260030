package probetest

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err
}

func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = fmt.Errorf("negative time %q", s)
	}
	return d, err
}

func parseSignedTime(s string) (time.Duration, error) { return time.ParseDuration(s) }

func parseWindow(from, to string) (w Window, err error) {
	if w.From, err = parseTime(from); err != nil {
		return w, err
	}
	if w.To, err = parseTime(to); err == nil && w.To <= w.From {
		err = fmt.Errorf("%s is not after %s", to, from)
	}
	return w, err
}

// parseCount reads a number from 0 on.
func parseCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err
}

// parseLength reads a number of bytes of a packet.
func parseLength(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err
}

// maxCopies keeps a slip of the finger from filling the memory.
const maxCopies = 1000

// parseCopies reads how often something is to be delivered.
func parseCopies(s string) (int, error) {
	n, err := parseCount(s)
	if err == nil && (n < 1 || n > maxCopies) {
		err = fmt.Errorf("%d is not between 1 and %d", n, maxCopies)
	}
	return n, err
}

func parseUint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](s string) (T, error) {
	n, err := strconv.ParseUint(s, 0, 64)
	if err == nil && uint64(T(n)) != n {
		err = fmt.Errorf("%s is too large", s)
	}
	return T(n), err
}

// parseShare reads a percentage as a probability.
func parseShare(s string) (float64, error) {
	number, ok := strings.CutSuffix(s, "%")
	if !ok {
		return 0, fmt.Errorf("%q is no percentage", s)
	}
	p, err := strconv.ParseFloat(number, 64)
	if err == nil && !(p >= 0 && p <= 100) {
		err = fmt.Errorf("%q is not between 0%% and 100%%", s)
	}
	return p / 100, err
}

func parseList[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(s string) (list []T, err error) {
		for _, part := range strings.Split(s, ",") {
			v, err := parse(part)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
}

// parsePair reads FIRST/SECOND; the second part may be left out if it has a
// default.
func parsePair[A, B any](s string, first func(string) (A, error), second func(string) (B, error), def *B) (a A, b B, err error) {
	left, right, ok := strings.Cut(s, "/")
	if a, err = first(left); err != nil {
		return a, b, err
	}
	switch {
	case ok:
		b, err = second(right)
	case def != nil:
		b = *def
	default:
		err = fmt.Errorf("%q lacks its second half", s)
	}
	return a, b, err
}

func parseError(s string) (e Error, err error) {
	e.Type, e.Code, err = parsePair(s, parseUint[uint8], parseUint[uint8], nil)
	return e, err
}

func parsePolicer(s string) (p Policer, err error) {
	rate := func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	p.Burst, p.Rate, err = parsePair(s, parseCount, rate, nil)
	if err == nil && !(p.Rate >= 0 && p.Rate < 1e9) {
		err = fmt.Errorf("%q is no rate", s)
	}
	return p, err
}

func parseHex(s string) ([]byte, error) { return hex.DecodeString(s) }

func parseMPLS(s string) ([]byte, error) {
	labels, err := parseList(parseLabel)(s)
	return MPLS(labels...), err
}

func parseLabel(s string) (l Label, err error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return l, fmt.Errorf("%q is not LABEL/TC/TTL", s)
	}
	if l.Label, err = parseUint[uint32](parts[0]); err != nil {
		return l, err
	}
	if l.TC, err = parseUint[uint8](parts[1]); err != nil {
		return l, err
	}
	l.TTL, err = parseUint[uint8](parts[2])
	if err == nil && (l.Label >= 1<<20 || l.TC >= 8) {
		err = fmt.Errorf("%q exceeds 20 bits of label or 3 of traffic class", s)
	}
	return l, err
}
