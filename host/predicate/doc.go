// Package predicate is what scripts say about messages: from "x" * older "90d" -
// flagged. A predicate is data, a tree of expressions, so it can be sent to
// another worker, shown by explain, and told apart into what is known of a
// message already and what must be fetched for it.
//
// Evaluation is three-valued. Where an answer hangs on something that is not
// known yet (the size, the header), it is Unknown and says what is missing; the
// caller fetches that for a whole batch and asks again.
package predicate
