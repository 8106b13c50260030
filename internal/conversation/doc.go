// Package conversation pairs what was asked with what came back: requests with
// replies, packets with the ICMP errors that quote them. It counts what it saw
// by type and by pair of hosts, in bounded memory whatever comes.
//
// What belongs together is told by addresses, protocol, identifier, sequence
// number and ports alone, as a bystander can tell it: no claim is made that a
// reply or an error is genuine.
package conversation
