package fingerprint

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
)

// A Level is a confidence in a word.
type Level string

// Levels of confidence.
const (
	High   Level = "high"   // 0.8 and more
	Medium Level = "medium" // 0.5 and more
	Low    Level = "low"
)

// A Verdict says who probably made the probes of a conversation.
type Verdict struct {
	Tool string // "": nobody known
	Note string // which options or version; may be empty
	// Confidence is between 0 and 1. The data of a probe give 0.8 if no other
	// known program sends the like, 0.5 if few do, 0.2 if many do; the habits of
	// the program add up to 0.18, 0.3 and 0.4, each its part if it fits and
	// twice as much less if it is contradicted. Of programs that are not told
	// apart none is above 0.5.
	Confidence float64
	Also       []string // programs that it cannot be told from
	Evidence   []string // what speaks for it
	Contrary   []string // and against
}

// Level returns the word for a confidence.
func (v *Verdict) Level() Level {
	switch {
	case v.Confidence >= 0.8:
		return High
	case v.Confidence >= 0.5:
		return Medium
	}
	return Low
}

// Bounds of judgement.
const (
	enough = 0.45 // the least confidence with which a program is named
	apart  = 0.1  // between programs that are told apart
	undone = 0.5  // the most confidence in a program that is not told from others
	least  = 0.05 // of any
)

// candidate is a signature that fits.
type candidate struct {
	*signature
	confidence float64
}

// judge looks for the signatures that a conversation fits.
func judge(k *flowKey, h *habits) Verdict {
	if !h.read {
		return Verdict{Evidence: []string{"payload: not captured"}}
	}
	list := make([]candidate, 0, 8)
	for i := range signatures {
		s := &signatures[i]
		if confidence := s.rate(k, h); confidence >= enough {
			list = append(list, candidate{s, confidence})
		}
	}
	if len(list) == 0 {
		return Verdict{Evidence: []string{payloadWords(h, h.mostSpecific())}}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.confidence, a.confidence) })
	best := list[0]
	v := Verdict{Tool: best.tool, Note: best.note, Confidence: best.confidence}
	for _, c := range list[1:] {
		if c.tool != v.Tool && best.confidence-c.confidence < apart && !slices.Contains(v.Also, c.tool) {
			v.Also = append(v.Also, c.tool)
		}
	}
	if len(v.Also) > 0 {
		v.Confidence = min(v.Confidence, undone)
	}
	best.explain(&v, k, h)
	return v
}

// mostSpecific returns what describes the data best.
func (h *habits) mostSpecific() shape {
	set := h.shapes &^ (1<<anything | firstOnly)
	if set == 0 {
		return anything
	}
	return shape(min(bits.TrailingZeros64(set), int(shapes)-1))
}

// rate returns the confidence that a signature describes a conversation; 0: it
// does not.
func (s *signature) rate(k *flowKey, h *habits) float64 {
	if s.query != k.query || s.family != 0 && s.family != h.family || h.shapes&(1<<s.shape) == 0 {
		return 0
	}
	points := len(s.must)
	for _, c := range s.must {
		if c.test(k, h) != fits {
			return 0
		}
	}
	for _, c := range s.habits {
		switch c.test(k, h) {
		case fits:
			points++
		case misses:
			points -= 2
		}
	}
	base := [...]float64{plain: 0.2, shared: 0.5, peculiar: 0.8}[s.mark]
	room := [...]float64{plain: 0.4, shared: 0.3, peculiar: 0.18}[s.mark]
	return max(base+room*float64(points)/float64(len(s.must)+len(s.habits)), least)
}

// explain fills in what speaks for a signature and against it.
func (s *signature) explain(v *Verdict, k *flowKey, h *habits) {
	v.Evidence = append(v.Evidence, payloadWords(h, s.shape))
	for _, list := range [...][]clue{s.must, s.habits} {
		for _, c := range list {
			words := c.words(h)
			switch c.test(k, h) {
			case fits:
				if words != "" {
					v.Evidence = append(v.Evidence, words)
				}
			case misses:
				v.Contrary = append(v.Contrary, c.against(h))
			}
		}
	}
	switch h.via {
	case returned:
		v.Evidence = append(v.Evidence, "known from its replies alone")
	case quoted:
		v.Evidence = append(v.Evidence, "known from what errors quote")
	}
}

// payloadWords describes the data of a conversation.
func payloadWords(h *habits, s shape) string {
	b := append([]byte("payload: "), shapeWords[s]...)
	if s == empty || s == questionMark || s >= noTimes {
		return string(b)
	}
	b = strconv.AppendInt(append(b, " ("...), int64(h.minSize), 10)
	if h.maxSize != h.minSize {
		b = strconv.AppendInt(append(b, " to "...), int64(h.maxSize), 10)
	}
	if h.maxSize == 1 {
		return string(append(b, " byte)"...))
	}
	return string(append(b, " bytes)"...))
}
