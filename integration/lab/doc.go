// Package lab builds networks of Linux network namespaces inside one process:
// hosts, routers and the links between them, with addresses, routes, kernel
// settings and packet filters.
//
// Namespaces have no names. File descriptors and threads of this process hold
// them, so that all of a network is gone when the process ends, however it
// ends. Nothing outside is touched, and no packet leaves.
//
// A program that uses the package calls [Enter] first. With the privilege to
// create network namespaces it goes on as it is; without, it runs again inside
// a new user namespace, where it has that privilege. Either way the rest of the
// program is the same:
//
//	code, done, err := lab.Enter(false)
//	if err != nil || done {
//		... // report err, or end with code
//	}
//	n := lab.New()
//	defer n.Close()
//	client, err := n.Host("client", lab.HostOptions{})
//	...
//
// [Topologies] has whole networks ready to use.
package lab
