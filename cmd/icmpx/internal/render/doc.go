// Package render turns results into text for people and JSON for programs. It
// appends to byte slices, reads no clock and writes nothing: when a line is
// printed, and where, is its caller's business.
package render
