/**
 * The access clock of an entry: when it was last used and how often, in one word.
 *
 * ```
 * bits 0–23    seconds modulo 2^24 (194 days) of the last access, or, where only writes count, of the last write
 * bits 24–31   frequency: a logarithmic counter of accesses that decays with time, as Redis's LFU keeps it
 * ```
 *
 * The fold writes the seconds of each batch and gives new entries their first frequency; so after a restart a key is as
 * old as its last write and its frequency begins anew. Only the live server counts reads. Digests leave the word out.
 */

const secondsMask = 0xff_ffff

/** The frequency of a new key: not 0, or it would be evicted before it had a chance. */
export const initialFrequency = 5

/** The clock of an entry that is new at `timeMs` (Unix milliseconds). */
export const freshClock = (timeMs: number): number =>
  (Math.floor(timeMs / 1000) & secondsMask) | (initialFrequency << 24)

/** Seconds from the access that `clock` notes to that of `now`, both in the form of `freshClock`. */
export const idleSeconds = (clock: number, now: number): number => (now - clock) & secondsMask

/**
 * The frequency, less what it lost since: one for every `decayMinutes` without access. 0 minutes: nothing is lost.
 * 0 to 255.
 */
export const frequency = (clock: number, now: number, decayMinutes: number): number => {
  const counter = clock >>> 24
  if (decayMinutes === 0) return counter
  const lost = Math.floor(idleSeconds(clock, now) / (60 * decayMinutes))
  return lost > counter ? 0 : counter - lost
}

/**
 * The clock after one more access. The counter grows with the probability 1 / (above * logFactor + 1), `above` being how
 * far it is over its first value; so 255 stands for about a million accesses when the factor is 10.
 * @param draw a uniform u32
 */
export const accessed = (clock: number, now: number, decayMinutes: number, logFactor: number, draw: number): number => {
  let counter = frequency(clock, now, decayMinutes)
  if (counter < 255) {
    const above = Math.max(0, counter - initialFrequency)
    if (draw / 0x1_0000_0000 < 1 / (above * logFactor + 1)) counter++
  }
  return (now & secondsMask) | (counter << 24)
}
