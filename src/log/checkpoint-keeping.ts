/**
 * Which checkpoints stay when a new one is made. The newest two: should one not be readable, the other still shortens a
 * start. Of the older ones those that data of the past is made from: between each and the one before it lies so much log
 * that it is worth its bytes, so that all of them together are never larger than the log.
 */

/** What is asked of a checkpoint here. */
interface Kept {
  readonly sequence: number
  readonly lsn: number
  readonly bytes: number
}

/** Where the log begins. */
export interface LogBeginning {
  readonly sequence: number
  readonly lsn: number
}

/** For starts. */
const newest = 2

/** Bytes of log between two checkpoints of the past unless told otherwise. */
export const usualSpacing = 32 << 20

/** The log is not needed up to here: the newest checkpoints cover it, those of the past do without. 0 when there is none. */
export const neededFrom = (checkpoints: ReadonlyArray<{ readonly sequence: number }>): number =>
  (checkpoints.at(-newest) ?? checkpoints[0])?.sequence ?? 0

/** Those of all checkpoints, oldest first, that stay. `spacing`: bytes of log between two; 0: none but the newest. */
export const checkpointsToKeep = <C extends Kept>(
  all: ReadonlyArray<C>,
  beginning: LogBeginning,
  spacing: number
): Array<C> => {
  const older = all.slice(0, -newest)
  const kept: Array<C> = []
  // Where the log was dropped nothing is known before the first checkpoint.
  let from = beginning.sequence > 1 ? -Infinity : beginning.lsn
  for (const one of older) {
    if (spacing === 0 || one.sequence + 1 < beginning.sequence) continue
    if (one.lsn - from < Math.max(spacing, one.bytes)) continue
    kept.push(one)
    from = one.lsn
  }
  return [...kept, ...all.slice(-newest)]
}
