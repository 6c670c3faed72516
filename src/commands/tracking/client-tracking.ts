/** What a connection has asked for with CLIENT TRACKING, for as long as tracking is on for it. */
export class ClientTracking {
  /** Told of all keys with certain prefixes, instead of those it has read. */
  bcast = false
  /** Remember only what is read after CLIENT CACHING YES; everything but what is read after CLIENT CACHING NO. */
  optIn = false
  optOut = false
  /** Not told of what it changes itself. */
  noLoop = false
  /** Id of the connection that is told instead; 0 for this one. */
  redirect = 0
  /** A message found that connection gone. */
  broken = false
  /** CLIENT CACHING was given for the command that comes next, or for the transaction. */
  caching = false
  /** Prefixes in the order of their bytes, one character per byte. */
  prefixes: ReadonlyArray<string> = []
  /** About what they take. */
  bytes = 0

  /** A request is answered: CLIENT CACHING was for that. */
  answered(): void {
    this.caching = false
  }

  /** Whether keys that are read now are to be remembered. */
  get remembers(): boolean {
    if (this.bcast) return false
    return this.optIn ? this.caching : !(this.optOut && this.caching)
  }
}
