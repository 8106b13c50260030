//go:build !race

package pmtu_test

const defaultSeeds = 10000
