import { checkName, type Disk, DiskError, type DiskFile, folderOf, replaceFile } from "../../src/log/disk.ts"
import type { Random } from "./random.ts"
import { sectorBytes, SimFile } from "./sim-file.ts"

/** The calls of a disk, by the names faults and hooks use. */
export const operations = [
  "open",
  "write",
  "read",
  "fdatasync",
  "fsync",
  "stat",
  "truncate",
  "close",
  "list",
  "exists",
  "rename",
  "unlink",
  "makeFolder",
  "syncFolder",
  "lock"
] as const
export type Operation = typeof operations[number]

/** Calls that are to fail. */
export interface Fault {
  readonly operation: Operation
  /** Which files; all when absent. For a rename the old name counts. */
  readonly file?: RegExp
  /** The first matching call to fail, from 1; default 1. */
  readonly nth?: number
  /** How many calls fail from there on; default 1, `Infinity` for a lasting fault. */
  readonly times?: number
  /** Name of the errno; default EIO. */
  readonly code?: string
  /** For "write": instead of failing, write only this many bytes. */
  readonly short?: number
}

/** A fault as planted: how often it was met, and how to end it. */
export interface PlantedFault {
  /** Calls that matched so far, failed or not. */
  readonly matched: () => number
  /** Calls that failed. */
  readonly failed: () => number
  readonly heal: () => void
}

type Change =
  | { readonly kind: "create"; readonly name: string; readonly file: SimFile }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "makeFolder"; readonly name: string }

const apply = (change: Change, names: Map<string, SimFile>, folders: Set<string>): void => {
  if (change.kind === "create") {
    if (folders.has(folderOf(change.name))) names.set(change.name, change.file)
  } else if (change.kind === "makeFolder") {
    if (folders.has(folderOf(change.name))) folders.add(change.name)
  } else {
    const file = names.get(change.name)
    names.delete(change.name)
    if (change.kind === "rename" && file !== undefined) names.set(change.to, file)
  }
}

const touches = (change: Change): ReadonlyArray<string> =>
  change.kind === "rename" ? [change.name, change.to] : [change.name]

/**
 * A disk in memory that can lose power and fail on demand, deterministic in its seed.
 *
 * What survives a power cut is what POSIX promises and no more: bytes below a successful fsync of the file, names below a
 * successful fsync of the folder. Everything else may or may not be there (see `afterCrash` and `SimFile.afterPowerCut`).
 */
export class SimDisk implements Disk {
  private names = new Map<string, SimFile>()
  private folders = new Set<string>([""])
  private durableNames = new Map<string, SimFile>()
  private durableFolders = new Set<string>([""])
  private changes: Array<Change> = []
  private readonly queue: Array<{ readonly done: (error?: DiskError) => void }> = []
  private readonly locks = new Map<string, string>()
  private readonly faults = new Set<{ fault: Fault; matched: number; failed: number }>()
  private life = 0
  /** How often each call was made, failed or not. */
  readonly counts = new Map<Operation, number>()
  /** The latest calls, for printing when a test fails. */
  readonly journal: Array<string> = []
  /** Called before every call takes effect: the place to look at what a power cut would leave now, or to throw. */
  onOperation: ((operation: Operation, name: string, call: number) => void) | undefined
  /** Calls made so far. */
  calls = 0
  /** Bytes all files together may hold. Raise it when space is to come back. */
  capacity = Number.POSITIVE_INFINITY
  /** True: a datasync completes in the next microtask. False: it waits for `runPending`. */
  immediate = false
  /** fsyncs of a file one of whose fsyncs had failed: their success means nothing. */
  blindSyncs = 0
  /** Who holds locks, as the error of a second taker says. */
  owner = "held by process 1"

  /** Number of asynchronous calls waiting for `runPending`. */
  get pending(): number {
    return this.queue.length
  }

  // — faults

  fail(fault: Fault): PlantedFault {
    const planted = { fault, matched: 0, failed: 0 }
    this.faults.add(planted)
    return {
      matched: () => planted.matched,
      failed: () => planted.failed,
      heal: () => void this.faults.delete(planted)
    }
  }

  /** Flips one bit of a file where it is stored. */
  flip(name: string, position: number, bit: number): void {
    this.file(name, "flip").flip(position, bit)
  }

  private call(operation: Operation, name: string, note = ""): Fault | undefined {
    this.calls++
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1)
    if (this.journal.length >= 2000) this.journal.splice(0, 1000)
    this.journal.push(`${this.calls} ${operation} ${name}${note}`)
    this.onOperation?.(operation, name, this.calls)
    for (const planted of this.faults) {
      const { fault } = planted
      if (fault.operation !== operation || (fault.file !== undefined && !fault.file.test(name))) continue
      planted.matched++
      const first = fault.nth ?? 1
      if (planted.matched < first || planted.matched >= first + (fault.times ?? 1)) continue
      planted.failed++
      this.journal.push(`  … ${fault.short === undefined ? fault.code ?? "EIO" : `short, ${fault.short} bytes`}`)
      if (fault.short !== undefined) return fault
      if (operation === "close") return undefined // close never throws
      if (operation === "fdatasync") return fault
      throw new DiskError(fault.code ?? "EIO", operation, name)
    }
    return undefined
  }

  // — the port

  open(name: string, how: "read" | "write" | "create"): DiskFile {
    checkName(name, "open")
    this.call("open", name, ` (${how})`)
    let file = this.names.get(name)
    if (how === "create") {
      if (!this.folders.has(folderOf(name))) throw new DiskError("ENOENT", "open", name)
      if (file === undefined) {
        file = new SimFile(name)
        this.change({ kind: "create", name, file })
      } else file.truncate(0)
    }
    if (file === undefined) throw new DiskError("ENOENT", "open", name)
    return this.handle(file, how)
  }

  private handle(file: SimFile, how: "read" | "write" | "create"): DiskFile {
    const life = this.life
    // Faults and the journal go by the name the file has now, as an operator would.
    let open = true
    const check = (operation: string): void => {
      if (!open || life !== this.life) throw new DiskError("EBADF", operation, file.name)
    }
    return {
      write: this.writing(file, how, check),
      read: (bytes, start, length, position) => {
        check("read")
        this.call("read", file.name, ` ${length} at ${position}`)
        return file.read(bytes, start, length, position)
      },
      writeLater: (bytes, start, length, position, done) => {
        let failure: DiskError | undefined
        try {
          const written = this.writing(file, how, check)(bytes, start, length, position)
          if (written < length) failure = new DiskError("ENOSPC", "write", file.name, `${written} of ${length} bytes`)
        } catch (error) {
          if (!(error instanceof DiskError)) throw error
          failure = error
        }
        this.queue.push({
          done: () => {
            if (life === this.life) done(failure)
          }
        })
        if (this.immediate) queueMicrotask(() => this.runPending())
      },
      datasync: (done) => {
        check("fdatasync")
        const fault = this.call("fdatasync", file.name)
        if (file.unreliable) this.blindSyncs++
        const flight = file.startSync()
        this.queue.push({
          done: (error) => {
            const failure = error ??
              (fault === undefined ? undefined : new DiskError(fault.code ?? "EIO", "fdatasync", file.name))
            if (failure === undefined) file.finishSync(flight)
            else file.failSync(flight)
            if (life === this.life) done(failure)
          }
        })
        if (this.immediate) queueMicrotask(() => this.runPending())
      },
      sync: () => {
        check("fsync")
        if (file.unreliable) this.blindSyncs++
        const flight = file.startSync()
        try {
          this.call("fsync", file.name)
        } catch (error) {
          file.failSync(flight)
          throw error
        }
        file.finishSync(flight)
      },
      size: () => {
        check("stat")
        this.call("stat", file.name)
        return file.size
      },
      truncate: (size) => {
        check("truncate")
        this.call("truncate", file.name, ` to ${size}`)
        file.truncate(size)
      },
      close: () => {
        if (!open || life !== this.life) return
        this.call("close", file.name)
        open = false
      }
    }
  }

  private writing(file: SimFile, how: string, check: (operation: string) => void): DiskFile["write"] {
    return (bytes, start, length, position) => {
      check("write")
      if (how === "read") throw new DiskError("EBADF", "write", file.name)
      const short = this.call("write", file.name, ` ${length} at ${position}`)?.short
      let count = Math.min(length, short ?? length)
      const growth = position + count - file.size
      if (growth > 0) {
        const free = this.capacity - this.used()
        if (free < growth) {
          count = Math.max(0, count - Math.max(0, growth - Math.max(0, free)))
          this.journal.push(`  … full, ${count} of ${length} bytes`)
          if (count === 0) throw new DiskError("ENOSPC", "write", file.name)
        }
      }
      file.write(bytes, start, count, position)
      return count
    }
  }

  list(folder: string): Array<string> {
    if (folder !== "") checkName(folder, "list")
    this.call("list", folder)
    const found: Array<string> = []
    for (const name of [...this.names.keys(), ...this.folders]) {
      if (name !== "" && folderOf(name) === folder) found.push(name.slice(folder === "" ? 0 : folder.length + 1))
    }
    return found.sort()
  }

  exists(name: string): boolean {
    checkName(name, "exists")
    this.call("exists", name)
    return this.names.has(name) || this.folders.has(name)
  }

  rename(from: string, to: string): void {
    checkName(from, "rename")
    checkName(to, "rename")
    this.call("rename", from, ` to ${to}`)
    this.file(from, "rename")
    if (!this.folders.has(folderOf(to))) throw new DiskError("ENOENT", "rename", from)
    if (from !== to) this.change({ kind: "rename", name: from, to })
  }

  unlink(name: string): void {
    checkName(name, "unlink")
    this.call("unlink", name)
    this.file(name, "unlink")
    this.change({ kind: "unlink", name })
  }

  makeFolder(name: string): void {
    checkName(name, "makeFolder")
    this.call("makeFolder", name)
    const parts = name.split("/")
    for (let i = 1; i <= parts.length; i++) {
      const folder = parts.slice(0, i).join("/")
      if (!this.folders.has(folder)) this.change({ kind: "makeFolder", name: folder })
    }
  }

  syncFolder(name: string): void {
    if (name !== "") checkName(name, "syncFolder")
    if (!this.folders.has(name)) throw new DiskError("ENOENT", "syncFolder", name)
    this.call("syncFolder", name)
    const wanted = new Set<Change>()
    for (let i = this.changes.length - 1; i >= 0; i--) {
      const change = this.changes[i]!
      const here = touches(change).some((touched) => folderOf(touched) === name)
      const needed = [...wanted].some((later) => touches(later).some((touched) => touches(change).includes(touched)))
      if (here || needed) wanted.add(change)
    }
    for (const change of this.changes) if (wanted.has(change)) apply(change, this.durableNames, this.durableFolders)
    this.changes = this.changes.filter((change) => !wanted.has(change))
  }

  lock(name: string): () => void {
    checkName(name, "lock")
    this.call("lock", name)
    const holder = this.locks.get(name)
    if (holder !== undefined) throw new DiskError("ELOCKED", "lock", name, holder)
    this.locks.set(name, this.owner)
    const life = this.life
    return () => {
      if (life === this.life) this.locks.delete(name)
    }
  }

  readFile(name: string): Uint8Array {
    const file = this.open(name, "read")
    try {
      const bytes = new Uint8Array(file.size())
      return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
    } finally {
      file.close()
    }
  }

  writeFileAtomic(name: string, bytes: Uint8Array): void {
    replaceFile(this, name, bytes)
  }

  // — what tests do

  /** Completes every asynchronous call made so far (or the first `count`), in order, calling back those who wait. */
  runPending(count = this.queue.length): void {
    for (const waiting of this.queue.splice(0, count)) waiting.done()
  }

  /** The process dies (kill -9): handles, locks and callbacks are gone, the page cache is not. */
  kill(): void {
    this.life++
    this.locks.clear()
    for (const waiting of this.queue.splice(0)) waiting.done()
    this.faults.clear()
    this.onOperation = undefined
  }

  /** The machine as a fresh start would find it after a power cut now. This disk itself goes on untouched. */
  afterCrash(random: Random): SimDisk {
    const names = new Map(this.durableNames)
    const folders = new Set(this.durableFolders)
    const happened = random.chance(0.3) ? this.changes.length : random.below(this.changes.length + 1)
    for (const change of this.changes.slice(0, happened)) apply(change, names, folders)
    const earlier = (name: string) => (): Uint8Array | undefined => {
      const older = [...names.keys()].filter((other) => folderOf(other) === folderOf(name) && other < name)
      if (older.length === 0) return undefined
      const source = names.get(random.pick(older))!.bytes()
      return source.subarray(Math.floor(random.below(source.length + 1) / sectorBytes) * sectorBytes)
    }
    const after = new SimDisk()
    after.immediate = this.immediate
    for (const folder of folders) after.folders.add(folder)
    for (const [name, file] of names) after.put(name, file.afterPowerCut(random, earlier(name)))
    after.settle()
    return after
  }

  /** The same disk with everything written safely on it: a clean shutdown of the machine. */
  settled(): SimDisk {
    const after = new SimDisk()
    after.immediate = this.immediate
    for (const folder of this.folders) after.folders.add(folder)
    for (const [name, file] of this.names) after.put(name, file.bytes())
    after.settle()
    return after
  }

  /** Puts a durable file there, making its folder. */
  put(name: string, bytes: Uint8Array): void {
    checkName(name, "put")
    const parts = name.split("/")
    for (let i = 1; i < parts.length; i++) {
      this.folders.add(parts.slice(0, i).join("/"))
      this.durableFolders.add(parts.slice(0, i).join("/"))
    }
    const file = new SimFile(name, bytes)
    this.names.set(name, file)
    this.durableNames.set(name, file)
  }

  /** Takes a file away, durably. */
  remove(name: string): void {
    this.names.delete(name)
    this.durableNames.delete(name)
  }

  /** A copy of a file's bytes as programs see them. */
  bytes(name: string): Uint8Array {
    return this.file(name, "bytes").bytes()
  }

  /** Every file, sorted by name. */
  files(): Array<string> {
    return [...this.names.keys()].sort()
  }

  /** Bytes all files hold together. */
  used(): number {
    let sum = 0
    for (const file of new Set(this.names.values())) sum += file.size
    return sum
  }

  /** The last calls as text. */
  history(count = 60): string {
    return this.journal.slice(-count).join("\n")
  }

  private settle(): void {
    this.durableFolders = new Set(this.folders)
    this.durableNames = new Map(this.names)
    this.changes = []
  }

  private change(change: Change): void {
    if (change.kind === "rename") this.names.get(change.name)!.name = change.to
    this.changes.push(change)
    apply(change, this.names, this.folders)
  }

  private file(name: string, operation: string): SimFile {
    const file = this.names.get(name)
    if (file === undefined) throw new DiskError("ENOENT", operation, name)
    return file
  }
}
