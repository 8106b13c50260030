// Package compare finds out what became of ICMP messages between two points of
// a network at which they were captured: which were lost, repeated, overtaken or
// changed, and how long they took each way, whatever the two clocks say.
//
// Run reads both captures twice. The first time it keeps a sample of each,
// chosen by what is in the packets, so that both samples hold the same ones;
// from them come the offset and the drift of the clocks and which conversation
// goes which way. The second time it reads both captures at once, in order of
// time, and matches packets within a window. Memory is bounded, however long
// the captures are: see Options.
//
// A packet is known again by addresses, type, code, identifier, sequence number,
// IP identification and the beginning of its payload; failing that by what a
// translator of addresses (NAT) leaves alone, by its sequence number with
// another payload, or by its payload alone. An error is known by the packet that
// it quotes.
package compare
