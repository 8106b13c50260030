package probetest

import (
	"fmt"
	"time"
)

// parseRule reads when, then what.
func parseRule(args []string) (r Rule, err error) {
	var effects []Effect
	err = eachAttribute(args, func(key, value string, has bool) error {
		if set, ok := conditions[key]; ok {
			if len(effects) > 0 {
				return fmt.Errorf("comes before what the rule does")
			}
			return set(&r.When, value)
		}
		if flag, ok := flagEffects[key]; ok && !has {
			effects = append(effects, flag())
			return nil
		}
		parse, ok := valueEffects[key]
		switch {
		case !ok && has && flagEffects[key] != nil:
			return fmt.Errorf("takes no value")
		case !ok:
			return fmt.Errorf("unknown condition or effect")
		case !has:
			return fmt.Errorf("takes a value")
		}
		e, err := parse(value)
		effects = append(effects, e)
		return err
	})
	if err == nil && len(effects) == 0 {
		err = fmt.Errorf("does nothing")
	}
	r.Do = Sequence(effects...)
	return r, err
}

var conditions = map[string]func(*When, string) error{
	"every":  condition(parsePositive, func(w *When) *int { return &w.Every }),
	"first":  condition(parsePositive, func(w *When) *int { return &w.First }),
	"last":   condition(parsePositive, func(w *When) *int { return &w.Last }),
	"size":   condition(parsePositive, func(w *When) *int { return &w.Size }),
	"chance": condition(parseChance, func(w *When) *float64 { return &w.Chance }),
	"from":   condition(parseTime, func(w *When) *time.Duration { return &w.During.From }),
	"to":     condition(parseTime, func(w *When) *time.Duration { return &w.During.To }),
}

func condition[T any](parse func(string) (T, error), field func(*When) *T) func(*When, string) error {
	return func(w *When, s string) (err error) {
		*field(w), err = parse(s)
		return err
	}
}

// parsePositive refuses 0, which in a When means that nothing is asked for.
func parsePositive(s string) (int, error) {
	n, err := parseCount(s)
	if err == nil && n == 0 {
		err = fmt.Errorf("counts from 1")
	}
	return n, err
}

func parseChance(s string) (float64, error) {
	p, err := parseShare(s)
	if err == nil && p == 0 {
		err = fmt.Errorf("never happens")
	}
	return p, err
}

var flagEffects = map[string]func() Effect{
	"drop":      Drop,
	"swallow":   Swallow,
	"unstamped": Unstamped,
	"overflow":  Overflow,
	"quench":    SourceQuench,
}

var valueEffects = map[string]func(string) (Effect, error){
	"delay":    effect(parseSignedTime, Delay),
	"jitter":   effect(parseTime, Jitter),
	"as":       effect(parseAddr, AnswerFrom),
	"refuse":   effect(parseError, Refuse),
	"flip":     effect(parseList(parseCount), func(bits []int) Effect { return Corrupt(Flip(bits...)) }),
	"truncate": effect(parseLength, func(n int) Effect { return Corrupt(Truncate(n)) }),
	"pad":      effect(parseLength, func(n int) Effect { return Corrupt(Pad(n)) }),
	"insert":   effectOfPair(parseLength, parseLength, nil, func(at, n int) Effect { return Corrupt(Insert(at, n)) }),
	"remove":   effectOfPair(parseLength, parseLength, nil, func(at, n int) Effect { return Corrupt(Remove(at, n)) }),
	"zero":     effectOfPair(parseLength, parseLength, nil, func(from, to int) Effect { return Corrupt(Zero(from, to)) }),
	"dup":      effectOfPair(parseCopies, parseTime, new(time.Duration), Duplicate),
	"forge":    effectOfPair(parseCopies, parseSignedTime, new(time.Duration), Forge),
	"replay":   effectOfPair(parsePositive, parseSignedTime, new(time.Duration), Replay),
	"redirect": effectOfPair(parseAddr, parseUint[uint8], new(uint8), Redirect),
}

func effect[T any](parse func(string) (T, error), make func(T) Effect) func(string) (Effect, error) {
	return func(s string) (Effect, error) {
		v, err := parse(s)
		return make(v), err
	}
}

func effectOfPair[A, B any](first func(string) (A, error), second func(string) (B, error), def *B, make func(A, B) Effect) func(string) (Effect, error) {
	return func(s string) (Effect, error) {
		a, b, err := parsePair(s, first, second, def)
		return make(a, b), err
	}
}
