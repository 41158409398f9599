// Package naming decides which folders are in sight and what they are called on
// the other side. It is pure: lists of names in, answers out.
package naming
