package trace

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// list writes "a", "a and b", "a, b and c".
func list(words []string, last string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
	}
	return strings.Join(words, "")
}

// ranges writes ascending numbers as "3, 5 and 7-9".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		k := i
		for k+1 < len(numbers) && numbers[k+1] == numbers[k]+1 {
			k++
		}
		part := itoa(numbers[i])
		if k > i {
			part += "-" + itoa(numbers[k])
		}
		parts = append(parts, part)
		i = k + 1
	}
	return list(parts, "and")
}

// plural writes "1 probe", "2 probes".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return itoa(n) + " " + word + "s"
}

// plain writes field names for people: "source and checksum".
func plain(fields string) string {
	return list(strings.Split(strings.ReplaceAll(fields, "_", " "), ","), "and")
}
