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
  const idle = idleSeconds(clock, now)
  const period = 60 * decayMinutes
  // Most keys that are looked at were in use within the period: they are spared the division.
  if (idle < period || decayMinutes === 0) return counter
  const lost = Math.floor(idle / period)
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
    const above = counter > initialFrequency ? counter - initialFrequency : 0
    if (draw * (above * logFactor + 1) < 0x1_0000_0000) counter++
  }
  return (now & secondsMask) | (counter << 24)
}

/** The clock of a key that was accessed `idle` seconds before the time of `clock`, `frequency` often; negative: as it is. */
export const accessedBefore = (clock: number, idle: number, frequency: number): number =>
  ((idle < 0 ? clock : clock - idle) & secondsMask) | (frequency < 0 ? clock & ~secondsMask : frequency << 24)

/**
 * How cold a key is among others under LRU: its idle seconds. An int32, greater is colder, like that of
 * `coldnessByUse`.
 */
export const coldnessByTime = idleSeconds

/**
 * How cold a key is under LFU: the less frequently used, the colder, and among keys of one frequency the one that was not
 * used for longest. Idle times of more than 97 days count as that.
 */
export const coldnessByUse = (clock: number, now: number, decayMinutes: number): number => {
  const idle = idleSeconds(clock, now)
  return ((255 - frequency(clock, now, decayMinutes)) << 23) | (idle > 0x7f_ffff ? 0x7f_ffff : idle)
}
