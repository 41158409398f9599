// Package repository takes the requests of all engines for one place of mail and
// spreads them over its endpoints.
//
// One folder operation goes to one endpoint, which keeps a folder it has opened
// before where it can; the other endpoints are free for other folders. Reading
// and writing are spread apart, so that they never wait for each other. Between
// Reserve and Commit a folder is leased: nobody else delivers there.
package repository
