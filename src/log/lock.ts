/**
 * The LOCK file: one line naming the process that owns a data directory.
 *
 *     <pid> <boot id> <start time of the process> LF
 *
 * Boot id and start time tell a recycled pid from the owner: after a reboot, or in a container where every life is pid
 * 1, the number alone would lock the directory for ever. "-" stands where the system offers no such fact.
 */
export interface LockOwner {
  readonly pid: number
  /** Differs after every boot of the machine. */
  readonly boot: string
  /** Start of the process, in the system's own unit. */
  readonly started: string
}

/** What the system says about a pid: `undefined` when no process has it. */
export type ProcessFacts = { readonly started: string } | undefined

/** The line that goes into the file. */
export const formatOwner = (owner: LockOwner): string => `${owner.pid} ${owner.boot} ${owner.started}\n`

/** Reads a LOCK file; `undefined` when it is not one (empty, half written, damaged). */
export const parseOwner = (text: string): LockOwner | undefined => {
  const match = /^([1-9][0-9]{0,9}) (\S{1,64}) (\S{1,32})\n$/.exec(text)
  return match === null ? undefined : { pid: Number(match[1]), boot: match[2]!, started: match[3]! }
}

/** Whether the owner named in a LOCK file is still alive. `self` is this process, `facts` looks a pid up. */
export const ownerLives = (
  owner: LockOwner,
  self: LockOwner,
  facts: (pid: number) => ProcessFacts
): boolean => {
  if (owner.boot !== self.boot) return false
  const now = facts(owner.pid)
  if (now === undefined) return false
  return owner.started === "-" || now.started === "-" || owner.started === now.started
}
