package capfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts are the conversions of strftime(3) that a Go layout does.
var layouts = [...]struct {
	conversion byte
	layout     string
}{
	{'Y', "2006"}, {'y', "06"}, {'m', "01"}, {'d', "02"}, {'e', "_2"}, {'j', "002"},
	{'H', "15"}, {'I', "03"}, {'M', "04"}, {'S', "05"}, {'p', "PM"},
	{'F', "2006-01-02"}, {'T', "15:04:05"}, {'R', "15:04"}, {'D', "01/02/06"},
	{'a', "Mon"}, {'A', "Monday"}, {'b', "Jan"}, {'h', "Jan"}, {'B', "January"},
	{'z', "-0700"}, {'Z', "MST"},
}

// strftime replaces the conversions of strftime(3) in format, in the C locale.
// The error names one that is not known.
func strftime(format string, t time.Time) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		if after == "" {
			return "", fmt.Errorf("a file name ends with %%: write %%%% for a percent sign")
		}
		part, ok := convert(after[0], t)
		if !ok {
			return "", fmt.Errorf("%%%.1s in a file name is no part of a time: write %%%% for a percent sign", after)
		}
		out.WriteString(part)
		format = after[1:]
	}
}

// convert does one conversion.
func convert(c byte, t time.Time) (string, bool) {
	for _, l := range layouts {
		if l.conversion == c {
			return t.Format(l.layout), true
		}
	}
	year, week := t.ISOWeek()
	weekday := int(t.Weekday())
	switch c {
	case '%':
		return "%", true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100), true
	case 'k':
		return fmt.Sprintf("%2d", t.Hour()), true
	case 'u':
		return strconv.Itoa((weekday+6)%7 + 1), true
	case 'w':
		return strconv.Itoa(weekday), true
	case 'V':
		return fmt.Sprintf("%02d", week), true
	case 'G':
		return strconv.Itoa(year), true
	case 'g':
		return fmt.Sprintf("%02d", year%100), true
	case 'U':
		return fmt.Sprintf("%02d", (t.YearDay()+6-weekday)/7), true
	case 'W':
		return fmt.Sprintf("%02d", (t.YearDay()+6-(weekday+6)%7)/7), true
	}
	return "", false
}
