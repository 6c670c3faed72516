import * as fs from "node:fs"
import { constants } from "node:os"
import * as path from "node:path"
import { formatOwner, type LockOwner, ownerLives, parseOwner, type ProcessFacts } from "./lock.ts"

/**
 * The port to the file system, and its adapter over `node:fs`: the only file of the log that touches a disk, so that a
 * simulated disk with power cuts and failing calls can stand in for it. Effect's FileSystem has no fdatasync and hides
 * how much of a write got through, which are the two things a log lives on.
 */

/** A file system call failed. `code` is the errno's name (ENOSPC, EIO, …), ELOCKED for a lock, EINVAL for a bad name. */
export class DiskError extends Error {
  override readonly name = "DiskError"
  readonly code: string
  readonly operation: string
  readonly file: string
  /** More to tell the user: the owner of a lock. */
  readonly detail: string
  constructor(code: string, operation: string, file: string, detail = "") {
    super(`${operation} ${file}: ${code}${detail === "" ? "" : ` (${detail})`}`)
    this.code = code
    this.operation = operation
    this.file = file
    this.detail = detail
  }
}

/** An open file. Every member throws `DiskError`, except those with a callback, which hand it to that. */
export interface DiskFile {
  /** Synchronous pwrite. A count below `length` is an error whose errno the runtime hides (usually ENOSPC). */
  write(bytes: Uint8Array, start: number, length: number, position: number): number
  /** Synchronous pread; a count below `length` is the end of the file. */
  read(bytes: Uint8Array, start: number, length: number, position: number): number
  /**
   * Asynchronous pwrite of all `length` bytes, which must not change until `done` was called: always, and never before
   * this call has returned. A count below `length` is reported as ENOSPC.
   */
  writeLater(
    bytes: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: (error: DiskError | undefined) => void
  ): void
  /** Asynchronous fdatasync; `done` is always called, and never before this call has returned. */
  datasync(done: (error: DiskError | undefined) => void): void
  /** Blocking fsync; with `dataOnly` fdatasync. */
  sync(dataOnly?: boolean): void
  /** Bytes. */
  size(): number
  /** How many bytes a reader should ask for at a time who may not need them all; undefined: as many as it likes. */
  readonly readAhead?: number
  truncate(size: number): void
  /** Releases the file; waits in the background for asynchronous calls still under way. Never throws. */
  close(): void
}

/** The data directory. Names are relative to it ("log/…", "MANIFEST"); anything that could lead out of it is refused. */
export interface Disk {
  /** "read" and "write" want the file to exist; "create" makes it (mode 0600) or empties it. */
  open(name: string, how: "read" | "write" | "create"): DiskFile
  /** Base names in a folder, sorted; empty when the folder does not exist. */
  list(folder: string): Array<string>
  exists(name: string): boolean
  rename(from: string, to: string): void
  unlink(name: string): void
  /** Makes a folder (mode 0700) and those above it; one that exists is fine. */
  makeFolder(name: string): void
  /** fsync of a folder: makes creations, renames and removals in it durable. "" is the data directory. */
  syncFolder(name: string): void
  /**
   * Takes the lock and returns how to give it back. Throws code ELOCKED, with the owner in `detail`, when a living
   * process holds it; the lock of a dead one is taken over.
   */
  lock(name: string): () => void
  readFile(name: string): Uint8Array
  /** Replaces a file as one step: temporary beside it, fsync, rename, fsync of the folder. */
  writeFileAtomic(name: string, bytes: Uint8Array): void
}

/** Throws EINVAL unless `name` is a plain relative path. Every adapter of `Disk` calls it. */
export const checkName = (name: string, operation: string): string => {
  const parts = name.split("/")
  const bad = name.includes("\0") || name.includes("\\")
    || parts.some((part) => part === "" || part === "." || part === "..")
  if (bad) throw new DiskError("EINVAL", operation, JSON.stringify(name), "not a name inside the data directory")
  return name
}

/** The folder part of a name; "" for the data directory itself. */
export const folderOf = (name: string): string => {
  const slash = name.lastIndexOf("/")
  return slash < 0 ? "" : name.slice(0, slash)
}

/** The errno's name. The runtime has none for some that disks do give, EDQUOT among them: then the system's list helps. */
const codeOf = (error: unknown): string => {
  const { code = "EUNKNOWN", errno = 0 } = (error ?? {}) as NodeJS.ErrnoException
  if (code !== "UNKNOWN") return code
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0] ?? code
}

const attempt = <T>(operation: string, file: string, call: () => T): T => {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (error instanceof DiskError) throw error
      if (codeOf(error) !== "EINTR") throw new DiskError(codeOf(error), operation, file)
    }
  }
}

class NodeFile implements DiskFile {
  private readonly fd: number
  private readonly name: string
  /** Asynchronous calls under way. */
  private underWay = 0
  private closing = false

  constructor(fd: number, name: string) {
    this.fd = fd
    this.name = name
  }

  write(bytes: Uint8Array, start: number, length: number, position: number): number {
    return attempt("write", this.name, () => fs.writeSync(this.fd, bytes, start, length, position))
  }

  read(bytes: Uint8Array, start: number, length: number, position: number): number {
    return attempt("read", this.name, () => {
      let done = 0
      while (done < length) {
        const n = fs.readSync(this.fd, bytes, start + done, Math.min(length - done, 0x4000_0000), position + done)
        if (n === 0) break
        done += n
      }
      return done
    })
  }

  writeLater(
    bytes: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: (error: DiskError | undefined) => void
  ): void {
    this.underWay++
    fs.write(this.fd, bytes, start, length, position, (error, written) => {
      this.underWay--
      if (this.closing) this.release()
      if (error !== null) done(new DiskError(codeOf(error), "write", this.name))
      else if (written === length) done(undefined)
      else done(new DiskError("ENOSPC", "write", this.name, `${written} of ${length} bytes`))
    })
  }

  datasync(done: (error: DiskError | undefined) => void): void {
    this.underWay++
    fs.fdatasync(this.fd, (error) => {
      this.underWay--
      if (this.closing) this.release()
      done(error === null ? undefined : new DiskError(codeOf(error), "fdatasync", this.name))
    })
  }

  sync(dataOnly = false): void {
    if (dataOnly) attempt("fdatasync", this.name, () => fs.fdatasyncSync(this.fd))
    else attempt("fsync", this.name, () => fs.fsyncSync(this.fd))
  }

  size(): number {
    return attempt("stat", this.name, () => fs.fstatSync(this.fd).size)
  }

  truncate(size: number): void {
    attempt("truncate", this.name, () => fs.ftruncateSync(this.fd, size))
  }

  close(): void {
    if (this.closing) return
    this.closing = true
    this.release()
  }

  // The number of a closed descriptor is given out again at once: a call still queued for it would hit a stranger.
  private release(): void {
    if (this.underWay > 0) return
    try {
      fs.closeSync(this.fd)
    } catch {
      // Nothing is lost: whatever had to be durable was fsynced before, and an error of close cannot be acted upon.
    }
  }
}

/** Facts about a process from /proc; without /proc, only whether it lives. A zombie counts as dead. */
const processFacts = (pid: number): ProcessFacts => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ") // the name before may hold spaces and parentheses
    return fields[0] === "Z" || fields[0] === "X" ? undefined : { started: fields[19] ?? "-" }
  } catch {
    if (fs.existsSync("/proc/self/stat")) return undefined
  }
  try {
    process.kill(pid, 0)
    return { started: "-" }
  } catch (error) {
    return codeOf(error) === "EPERM" ? { started: "-" } : undefined
  }
}

const thisProcess = (): LockOwner => {
  let boot = "-"
  try {
    boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()
  } catch {
    // Not Linux: the pid has to do.
  }
  return { pid: process.pid, boot, started: processFacts(process.pid)?.started ?? "-" }
}

/** Locks this very process holds, by absolute path: tells a second opening here from a leftover with our pid. */
const held = new Set<string>()

const readText = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "latin1")
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}

const takeLock = (file: string, name: string): () => void => {
  const self = thisProcess()
  const mine = formatOwner(self)
  const refuse = (detail: string): never => {
    throw new DiskError("ELOCKED", "lock", name, detail)
  }
  if (held.has(file)) refuse(`held by process ${self.pid}, which is this one`)
  const own = `${file}.${self.pid}`
  const aside = `${own}.stale`
  for (let tries = 0; tries < 16; tries++) {
    fs.rmSync(own, { force: true })
    const fd = fs.openSync(own, "wx", 0o600)
    try {
      fs.writeSync(fd, mine)
    } finally {
      fs.closeSync(fd)
    }
    try {
      fs.linkSync(own, file) // exclusive like O_EXCL, and never seen half written
      held.add(file)
      return () => {
        if (!held.delete(file)) return
        if (readText(file) === mine) fs.rmSync(file, { force: true })
      }
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error
    } finally {
      fs.rmSync(own, { force: true })
    }
    const found = readText(file)
    if (found === undefined) continue
    const owner = parseOwner(found)
    if (owner !== undefined && found !== mine && ownerLives(owner, self, processFacts)) {
      refuse(`held by process ${owner.pid}`)
    }
    // Two processes may find the same dead owner: what was moved away is looked at again before it is thrown away.
    try {
      fs.renameSync(file, aside)
    } catch (error) {
      if (codeOf(error) === "ENOENT") continue
      throw error
    }
    if (readText(aside) !== found) {
      try {
        fs.linkSync(aside, file)
      } catch {
        // Somebody else holds it by now: the next round meets that owner.
      }
    }
    fs.rmSync(aside, { force: true })
  }
  return refuse("other processes kept taking it")
}

/** A folder has one name for all who lock it, whatever links lead to it. */
const realPath = (folder: string): string => {
  try {
    return fs.realpathSync(folder)
  } catch {
    return folder // the first call that needs it says what is wrong
  }
}

/** The disk of this machine, rooted at the data directory `root`, which must exist. */
export const nodeDisk = (root: string): Disk => {
  const base = realPath(path.resolve(root))
  const at = (name: string, operation: string): string => path.join(base, checkName(name, operation))
  const flags = {
    read: fs.constants.O_RDONLY,
    write: fs.constants.O_RDWR,
    create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC
  }
  const disk: Disk = {
    open: (name, how) => {
      const file = at(name, "open")
      return new NodeFile(
        attempt("open", name, () => fs.openSync(file, flags[how] | fs.constants.O_NOFOLLOW, 0o600)),
        name
      )
    },
    list: (folder) => {
      const directory = folder === "" ? base : at(folder, "list")
      return attempt("list", folder, () => {
        try {
          return fs.readdirSync(directory).sort()
        } catch (error) {
          if (codeOf(error) === "ENOENT") return []
          throw error
        }
      })
    },
    exists: (name) => fs.existsSync(at(name, "exists")),
    rename: (from, to) => {
      const source = at(from, "rename")
      const target = at(to, "rename")
      attempt("rename", from, () => fs.renameSync(source, target))
    },
    unlink: (name) => {
      const file = at(name, "unlink")
      attempt("unlink", name, () => fs.unlinkSync(file))
    },
    makeFolder: (name) => {
      const directory = at(name, "makeFolder")
      attempt("makeFolder", name, () => fs.mkdirSync(directory, { recursive: true, mode: 0o700 }))
    },
    syncFolder: (name) => {
      const directory = name === "" ? base : at(name, "syncFolder")
      attempt("syncFolder", name, () => {
        const fd = fs.openSync(directory, fs.constants.O_RDONLY)
        try {
          fs.fsyncSync(fd)
        } finally {
          fs.closeSync(fd)
        }
      })
    },
    lock: (name) => {
      const file = at(name, "lock")
      return attempt("lock", name, () => takeLock(file, name))
    },
    readFile: (name) => {
      const file = disk.open(name, "read")
      try {
        const bytes = new Uint8Array(file.size())
        const length = file.read(bytes, 0, bytes.length, 0)
        return length === bytes.length ? bytes : bytes.subarray(0, length)
      } finally {
        file.close()
      }
    },
    writeFileAtomic: (name, bytes) => replaceFile(disk, name, bytes)
  }
  return disk
}

/** `writeFileAtomic` out of the other members, for any disk. */
export const replaceFile = (disk: Disk, name: string, bytes: Uint8Array): void => {
  const temporary = `${checkName(name, "replace")}.tmp`
  const file = disk.open(temporary, "create")
  try {
    try {
      const written = file.write(bytes, 0, bytes.length, 0)
      if (written !== bytes.length) {
        throw new DiskError("ENOSPC", "write", temporary, `${written} of ${bytes.length} bytes`)
      }
      file.sync()
    } finally {
      file.close()
    }
    disk.rename(temporary, name)
  } catch (error) {
    try {
      disk.unlink(temporary)
    } catch {
      // The first error is the one to report; a leftover temporary is removed when the log is opened.
    }
    throw error
  }
  disk.syncFolder(folderOf(name))
}
