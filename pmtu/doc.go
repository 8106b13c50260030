// Package pmtu is the home of path MTU discovery: the strategy that chooses
// which packet size to probe next. It holds no code yet.
package pmtu
