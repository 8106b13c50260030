// Package fingerprint says who made the ICMP messages of a capture, and what is
// odd about them.
//
// A Signature describes what a program sends: how its payload looks, and its
// habits with identifiers, sequence numbers, TTL and flags. An Observer gathers
// what the messages of each conversation have in common and looks for the
// signatures that this fits. Programs whose messages do not differ are named
// together.
//
// What is odd is a Finding: floods, sweeps, tunnels, routers that nobody
// expects. docs/fingerprints.md lists signatures and rules.
package fingerprint
