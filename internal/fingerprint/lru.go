package fingerprint

// An lru is a map of bounded size that forgets what was not asked for longest.
type lru[K comparable, V any] struct {
	nodes map[K]*node[K, V]
	ends  node[K, V] // ring, from the oldest to the newest
	most  int
	gone  func(*K, *V) // hears of what is forgotten; may be nil
}

type node[K comparable, V any] struct {
	prev, next *node[K, V]
	key        K
	value      V
}

func newLRU[K comparable, V any](most int, gone func(*K, *V)) *lru[K, V] {
	l := &lru[K, V]{nodes: make(map[K]*node[K, V]), most: most, gone: gone}
	l.ends.prev, l.ends.next = &l.ends, &l.ends
	return l
}

// find returns the value of a key, nil if there is none.
func (l *lru[K, V]) find(k *K) *V {
	n := l.nodes[*k]
	if n == nil {
		return nil
	}
	l.touch(n)
	return &n.value
}

// get returns the value of a key, the zero value if there was none.
func (l *lru[K, V]) get(k *K) (v *V, fresh bool) {
	if v := l.find(k); v != nil {
		return v, false
	}
	n := l.room()
	n.key = *k
	l.nodes[n.key] = n
	l.touch(n)
	return &n.value, true
}

// room returns a node that is in no ring: a new one, or the oldest.
func (l *lru[K, V]) room() *node[K, V] {
	if len(l.nodes) < l.most {
		n := new(node[K, V])
		n.prev, n.next = n, n
		return n
	}
	n := l.ends.next
	if l.gone != nil {
		l.gone(&n.key, &n.value)
	}
	delete(l.nodes, n.key)
	var none V
	n.value = none
	return n
}

// touch makes a node the newest.
func (l *lru[K, V]) touch(n *node[K, V]) {
	n.prev.next, n.next.prev = n.next, n.prev
	n.prev, n.next = l.ends.prev, &l.ends
	n.prev.next, n.next.prev = n, n
}

// each calls f with all that is there, from the oldest to the newest.
func (l *lru[K, V]) each(f func(*K, *V)) {
	for n := l.ends.next; n != &l.ends; n = n.next {
		f(&n.key, &n.value)
	}
}
