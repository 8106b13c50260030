// Package vectortest finds, for tests, the captures that are not in the tree.
package vectortest

import (
	"os"
	"testing"
)

// Folder returns the folder of further captures, which ICMPX_VECTORS names. They
// are the work of other projects and do not belong in this one: a test of them
// ends here, as skipped, where they are absent, and `make test` says in its last
// lines whether they were there.
func Folder(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ICMPX_VECTORS")
	if dir == "" {
		t.Skip("ICMPX_VECTORS, the folder of further captures, is not set")
	}
	return dir
}
