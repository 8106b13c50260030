// Package owner says which local process owns a socket that ICMP is sent with:
// it reads the kernel's socket tables and the descriptors of processes, as proc(5)
// describes them.
//
// Of a ping socket the tables give the identifier of its echo messages, so its
// process is found exactly. Of a raw socket they give protocol and addresses
// only: where several fit, all of them are candidates.
//
// The descriptors of other users' processes are for CAP_SYS_PTRACE and
// CAP_DAC_READ_SEARCH alone. [Serve] and [Client] are the two ends of a pipe to a
// process that has these, does nothing else, and is told inode numbers only.
package owner
