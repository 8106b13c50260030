package filter

import "strings"

// A token is a piece of an expression: a word, a number or address, or an
// operator.
type token struct {
	text string
	at   int // where it begins
	kind tokenKind
}

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // begins with a letter
	tokenNumber           // begins with a digit or is an address
	tokenOperator
)

// operators are those of more than one character.
var operators = [...]string{"&&", "||", "==", "!=", ">=", "<=", ">>", "<<"}

// lex splits an expression. Within brackets a colon stands between offset and
// size; elsewhere it is a part of IPv6 addresses.
func lex(text string) []token {
	var tokens []token
	depth := 0
	for at := 0; at < len(text); {
		rest := text[at:]
		t := token{at: at}
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			at++
			continue
		case isLetter(c):
			t.kind, t.text = tokenWord, rest[:span(rest, depth > 0, true)]
		case isDigit(c) || c == ':' && depth == 0:
			t.kind, t.text = tokenNumber, rest[:span(rest, depth > 0, false)]
		default:
			t.kind, t.text = tokenOperator, rest[:1]
			for _, o := range operators {
				if strings.HasPrefix(rest, o) {
					t.text = o
				}
			}
			switch c {
			case '[':
				depth++
			case ']':
				depth = max(depth-1, 0)
			}
		}
		tokens = append(tokens, t)
		at += len(t.text)
	}
	return append(tokens, token{at: len(text)})
}

// span returns the length of the word or number that s begins with. Only words
// have hyphens: "icmp-echo", but 8-1.
func span(s string, brackets, word bool) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case isLetter(c), isDigit(c):
		case c == '-' && word:
		case (c == '.' || c == ':') && !brackets:
		default:
			return i
		}
	}
	return len(s)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
