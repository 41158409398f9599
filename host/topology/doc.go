// Package topology declares the workers of a run and supervises them.
//
// Managers are the only declarations there are: thin specs over one declare
// function, checked one by one so that a mistake is reported where it was made.
// The Master starts them in order, repositories and states at the same time, hears the one
// Exit of each, decides (stop, restart, go on) and stops them: engines, user
// workers, repositories and states, logger.
//
// # Interrupts
//
// Whoever receives signals calls Master.Interrupt for each:
//
//  1. Env.Draining closes: engines commit the batch in flight and begin no new
//     one. Nothing is restarted any more.
//  2. The context of every Run ends, and with it the calls made with it, which
//     closes connections. Everything is stopped.
//  3. Everything is killed: child processes by signal, the rest by the end of
//     their contexts. The command exits without waiting.
package topology
