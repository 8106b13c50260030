// Package spelling finds the word that a misspelled one was meant to be.
package spelling

import (
	"iter"
	"strings"
)

// maxWord is the longest word that is compared: longer ones are no slip, and
// the work grows with their length.
const maxWord = 64

// Nearest returns the name that a word was most likely meant to be: the
// shortest that begins with it, else the one that differs in the fewest bytes;
// "" if all differ in more than a third of the word.
func Nearest(word string, names iter.Seq[string]) string {
	if len(word) < 3 || len(word) > maxWord {
		return ""
	}
	begun, near, typos := "", "", len(word)/3+1
	for name := range names {
		if strings.HasPrefix(name, word) && (begun == "" || len(name) < len(begun)) {
			begun = name
		}
		if n := Distance(word, name); n < typos {
			near, typos = name, n
		}
	}
	if begun != "" {
		return begun
	}
	return near
}

// Distance returns how many bytes must be inserted, removed or replaced to turn
// a into b.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
