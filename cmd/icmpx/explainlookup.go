package main

import (
	"slices"
	"strings"

	"github.com/icmpx/icmpx/cmd/icmpx/internal/render"
	"github.com/icmpx/icmpx/icmpx"
	"github.com/icmpx/icmpx/internal/spelling"
)

// maxQuery is how much of a query is looked at: more than a line of any tool.
const maxQuery = 1000

// explain finds what a query is about, in this order: a mark of a trace, a number,
// words that programs print, words of names. Family 0 is both.
func explain(query string, family icmpx.Family) finding {
	query = query[:min(len(query), maxQuery)]
	if e := markIn(query, family); len(e) > 0 {
		return finding{entries: e}
	}
	if e := called(wordsOf(query), family); len(e) > 0 {
		return finding{entries: e} // a name may begin like a family
	}
	if f, rest := familyIn(query); f != 0 {
		if family != 0 && f != family {
			return finding{}
		}
		query, family = rest, f
	}
	if e, ok := numberIn(query, family); ok {
		return finding{entries: e, suggestions: otherNumbers(query, family, len(e))}
	}
	words := wordsOf(query)
	if e := search(words, family); len(e) > 0 {
		return finding{entries: e}
	}
	return finding{suggestions: suggest(words, family)}
}

// called returns what has these words, and no others, for a name.
func called(words []string, family icmpx.Family) []render.Entry {
	var found []render.Entry
	eachPhrase(family, func(p *phrase) {
		if len(words) > 0 && slices.Equal(words, p.words) {
			found = add(found, p.entries, family)
		}
	})
	return found
}

// search finds words: the longest phrases that they contain, else the names that
// contain all of them.
func search(words []string, family icmpx.Family) []render.Entry {
	if len(words) == 0 {
		return nil
	}
	var found []render.Entry
	longest := 0
	eachPhrase(family, func(p *phrase) {
		n := len(p.words)
		if n < longest || !contains(words, p.words) || n == 1 && len(words) > 1 && !p.telling {
			return
		}
		if n > longest {
			longest, found = n, nil
		}
		found = add(found, p.entries, family)
	})
	if len(found) > 0 || !slices.ContainsFunc(words, func(w string) bool { return len(w) > 2 }) {
		return found
	}
	eachPhrase(family, func(p *phrase) {
		if !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(p.words, w) }) {
			found = add(found, p.entries, family)
		}
	})
	return found
}

// A phrase is some words, and what they mean.
type phrase struct {
	words   []string
	telling bool // one word of it among others says enough
	entries []render.Entry
}

// eachPhrase calls f with all phrases of a family: names and printed texts of
// messages, other names of them, and what programs say.
func eachPhrase(family icmpx.Family, f func(*phrase)) {
	for i := range symptoms {
		s := &symptoms[i]
		for _, text := range s.phrases {
			f(&phrase{words: wordsOf(text), telling: true, entries: []render.Entry{{Symptom: &s.Symptom}}})
		}
	}
	for i := range aliases {
		f(&phrase{words: wordsOf(aliases[i].text), entries: entriesOf(aliases[i].messages)})
	}
	for _, family := range familiesOf(family) {
		for _, t := range icmpx.Types(family) {
			m := render.Message{Family: family, Type: t.Type, Whole: true}
			eachName(m, f, t.Name, t.Text)
			for _, c := range t.Codes {
				m := render.Message{Family: family, Type: t.Type, Code: c.Code}
				eachName(m, f, c.Name, c.Text, icmpx.Describe(family, t.Type, c.Code))
			}
		}
	}
}

func eachName(m render.Message, f func(*phrase), names ...string) {
	for _, name := range names {
		f(&phrase{words: wordsOf(name), entries: []render.Entry{{Message: m}}})
	}
}

func entriesOf(list []render.Message) []render.Entry {
	entries := make([]render.Entry, len(list))
	for i := range list {
		entries[i].Message = list[i]
	}
	return entries
}

// add adds entries of a family that are not there yet.
func add(list, more []render.Entry, family icmpx.Family) []render.Entry {
	for _, e := range more {
		if s := e.Symptom; s != nil {
			if slices.ContainsFunc(list, func(have render.Entry) bool { return have.Symptom != nil && have.Symptom.Name == s.Name }) {
				continue
			}
			e.Symptom = narrowed(s, family)
		} else if family != 0 && e.Family != family || slices.Contains(list, e) {
			continue
		}
		list = append(list, e)
	}
	return list
}

// narrowed returns a symptom with the messages of one family.
func narrowed(s *render.Symptom, family icmpx.Family) *render.Symptom {
	if family == 0 {
		return s
	}
	c := *s
	c.See = slices.DeleteFunc(slices.Clone(s.See), func(m render.Message) bool { return m.Family != family })
	return &c
}

// contains reports whether words contain others in a row.
func contains(words, part []string) bool {
	for i := range len(words) - len(part) + 1 {
		if slices.Equal(words[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// wordsOf returns the words of a text in lower case, without numbers, addresses
// and what else differs from one message to the next, without "icmp", which says
// nothing here, and each in one spelling.
func wordsOf(text string) []string {
	text = strings.NewReplacer("'", "", "’", "").Replace(strings.ToLower(text))
	words := strings.FieldsFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	kept := words[:0]
	for _, w := range words {
		if w[0] < 'a' || w == "icmp" {
			continue
		}
		if i := slices.Index(spellings[:], w); i >= 0 && i%2 == 0 {
			w = spellings[i+1]
		}
		kept = append(kept, w)
	}
	return kept
}

// spellings are words, each before the one that stands for it.
var spellings = [...]string{
	"neighbour", "neighbor", "network", "net", "fragmentation", "frag", "fragment", "frag",
	"dest", "destination", "acknowledgement", "acknowledgment", "unreach", "unreachable", "proto", "protocol",
	"prot", "protocol", "addr", "address",
}

// maxSuggestions is how many are made.
const maxSuggestions = 4

// suggest returns queries that would find something: the words with misspelled
// ones put right, else names that share a word.
func suggest(words []string, family icmpx.Family) []string {
	words = words[:min(len(words), 16)]
	fixed := make([]string, len(words))
	near := make([]int, len(words)) // distance of what fixed has
	for i, w := range words {
		fixed[i], near[i] = w, 1+len(w)/4
	}
	eachPhrase(family, func(p *phrase) {
		for _, known := range p.words {
			for i, w := range words {
				if len(w) > 24 || len(w) < 3 {
					continue
				}
				if d := spelling.Distance(w, known); d < near[i] {
					fixed[i], near[i] = known, d
				}
			}
		}
	})
	if !slices.Equal(fixed, words) && len(search(fixed, family)) > 0 {
		return []string{`"` + strings.Join(fixed, " ") + `"`}
	}
	return sharing(fixed, family)
}

// sharing returns names that share words with a query, most first.
func sharing(words []string, family icmpx.Family) []string {
	var best [maxSuggestions + 1][]string // by how many words they share
	eachPhrase(family, func(p *phrase) {
		n := 0
		for _, w := range words {
			if len(w) > 2 && slices.Contains(p.words, w) {
				n++
			}
		}
		name := `"` + strings.Join(p.words, " ") + `"`
		if n = min(n, maxSuggestions); n > 0 && len(name) < 60 && !slices.Contains(best[n], name) {
			best[n] = append(best[n], name)
		}
	})
	var list []string
	for _, names := range slices.Backward(best[:]) {
		list = append(list, names...)
	}
	return list[:min(len(list), maxSuggestions)]
}
