// Package extract rebuilds what travelled in the payloads of echo requests and
// replies, and writes it to files.
//
// A conversation is what one host sends another in requests, or in replies,
// under one identifier. It becomes one file: its payloads in the order of their
// sequence numbers, each number once. Where the payloads change their size, a
// conversation is cut into transfers: payloads of one size, and a last one that
// is shorter. A transfer that is not all of the conversation becomes a file of
// its own beside it: a picture comes out byte for byte, though ordinary pings
// went before and after it under the same identifier.
//
// Payloads wait in a file on disk until their conversation ends; in memory is
// only where each run of them stands.
package extract
