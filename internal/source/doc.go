// Package source asks a Prometheus-compatible server for numbers, and is the
// only code of the operator that talks to the network for them.
//
// A Client belongs to one metric source. It bounds what one source may cost:
// the queries in flight, the time of each, the bytes and the series of an
// answer. It never follows a redirect, because credentials must not travel to
// a host that nobody named, and it never gives a partial answer for a result.
// Whatever goes wrong comes back as an *Error, whose Reason says what kind of
// fault it is and whose Message is fit for a status condition: it says what to
// change, holds no secret, and is the same string each time the same fault
// happens.
package source
