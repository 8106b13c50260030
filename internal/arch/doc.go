// Package arch holds the tests that keep the architecture: which package may
// import which, who may touch the kernel, the process and the terminal, what is
// documented, and how long a file or function may grow. docs/architecture.md
// says why; the tables in these tests say what exactly.
//
// Every rule is a function from a package to its findings, so that each one is
// also fed a package that breaks it.
package arch
