import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { DiskError, nodeDisk } from "../../src/log/disk.ts"
import { formatOwner, type LockOwner, ownerLives, parseOwner } from "../../src/log/lock.ts"
import { openLog } from "../../src/log/store.ts"
import { FakeClock, logOptions, outcomeOf, Writer } from "../support/log-writer.ts"
import { Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

/** One data directory, one process; and who may read what lies in it. */

const folders: Array<string> = []
const folder = (): string => {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "annals-lock-"))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const made of folders.splice(0)) fs.rmSync(made, { recursive: true, force: true })
})

const deadPid = (): number => {
  for (let pid = 4_000_000; pid < 4_190_000; pid++) if (!fs.existsSync(`/proc/${pid}`)) return pid
  throw new Error("no free pid found")
}

describe("the owner of a lock", () => {
  const self: LockOwner = { pid: 100, boot: "boot-1", started: "5000" }
  const alive = (pid: number, started: string) => (asked: number) => asked === pid ? { started } : undefined

  it("lives when its process runs since the same moment of the same boot", () => {
    expect(ownerLives({ pid: 7, boot: "boot-1", started: "42" }, self, alive(7, "42"))).toBe(true)
  })
  it("is dead when its process is gone, the pid belongs to another one, or the machine was restarted", () => {
    expect(ownerLives({ pid: 7, boot: "boot-1", started: "42" }, self, () => undefined)).toBe(false)
    expect(ownerLives({ pid: 7, boot: "boot-1", started: "42" }, self, alive(7, "43"))).toBe(false)
    expect(ownerLives({ pid: 7, boot: "boot-0", started: "42" }, self, alive(7, "42"))).toBe(false)
  })
  it("is given the benefit of the doubt when the system does not tell when a process began", () => {
    expect(ownerLives({ pid: 7, boot: "boot-1", started: "-" }, self, alive(7, "42"))).toBe(true)
    expect(ownerLives({ pid: 7, boot: "boot-1", started: "42" }, self, alive(7, "-"))).toBe(true)
  })
  it("reads back what it wrote, and nothing else", () => {
    expect(parseOwner(formatOwner(self))).toEqual(self)
    for (const text of ["", "7", "7 boot\n", "-7 boot 1\n", "0 boot 1\n", "7 boot 1", "x y z\n", "7 boot 1 more\n"]) {
      expect(parseOwner(text), JSON.stringify(text)).toBeUndefined()
    }
  })
})

describe("the lock of a data directory", () => {
  const code = (run: () => unknown): string => {
    try {
      run()
      return "taken"
    } catch (error) {
      if (error instanceof DiskError) return error.code
      throw error
    }
  }

  it("is held by one opening at a time, in one process too, and free after release", () => {
    const root = folder()
    const release = nodeDisk(root).lock("LOCK")
    expect(code(() => nodeDisk(root).lock("LOCK"))).toBe("ELOCKED")
    expect(code(() => nodeDisk(`${root}/../${path.basename(root)}`).lock("LOCK"))).toBe("ELOCKED")
    release()
    release()
    nodeDisk(root).lock("LOCK")()
    expect(fs.existsSync(path.join(root, "LOCK"))).toBe(false)
  })

  it("names the living owner", () => {
    const root = folder()
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()
    const parent = process.ppid
    const stat = fs.readFileSync(`/proc/${parent}/stat`, "latin1")
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!
    fs.writeFileSync(path.join(root, "LOCK"), formatOwner({ pid: parent, boot, started }))
    try {
      nodeDisk(root).lock("LOCK")
      throw new Error("taken")
    } catch (error) {
      expect(error).toMatchObject({ code: "ELOCKED" })
      expect((error as DiskError).detail).toContain(String(parent))
    }
    // The same pid since another moment is somebody else: the lock is stale.
    fs.writeFileSync(path.join(root, "LOCK"), formatOwner({ pid: parent, boot, started: `${Number(started) + 1}` }))
    nodeDisk(root).lock("LOCK")()
  })

  it("of a dead process, of an earlier boot, of our own earlier life, or unreadable, is taken over", () => {
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()
    const contents = [
      formatOwner({ pid: deadPid(), boot, started: "1" }),
      formatOwner({ pid: process.ppid, boot: "another-boot", started: "1" }),
      formatOwner({ pid: process.pid, boot, started: "1" }),
      "",
      "garbage",
      "\0".repeat(100)
    ]
    for (const content of contents) {
      const root = folder()
      fs.writeFileSync(path.join(root, "LOCK"), content)
      const release = nodeDisk(root).lock("LOCK")
      expect(fs.readFileSync(path.join(root, "LOCK"), "latin1")).toMatch(new RegExp(`^${process.pid} `))
      release()
      expect(fs.readdirSync(root), JSON.stringify(content)).toEqual([])
    }
  })

  it("that somebody else took meanwhile is not removed by a late release", () => {
    const root = folder()
    const release = nodeDisk(root).lock("LOCK")
    fs.writeFileSync(path.join(root, "LOCK"), "1 somebody else\n")
    release()
    expect(fs.readFileSync(path.join(root, "LOCK"), "latin1")).toBe("1 somebody else\n")
  })

  it("makes a second log exit with 5 and leaves the first alone", () => {
    const disk = new SimDisk()
    const clock = new FakeClock()
    const writer = new Writer(openLog(disk, clock, logOptions()), clock, new Random(1))
    writer.append(1)
    writer.commit()
    const calls = disk.journal.length
    const second = outcomeOf(disk)
    if ("lines" in second) throw new Error("opened twice")
    expect(second.verdict).toBe("locked")
    expect(second.error).toMatchObject({ _tag: "LogLocked", exitCode: 5 })
    expect(second.message).toContain("process 1")
    const touched = disk.journal.slice(calls).filter((call) => /write|truncate|rename|unlink|create/.test(call))
    expect(touched).toEqual([])
    writer.append(1)
    writer.commit()
    writer.log.close()
    const after = outcomeOf(disk)
    expect("lines" in after && after.lines).toEqual(writer.lines)
  })

  it("is given back by close and by abandon", () => {
    const disk = new SimDisk()
    openLog(disk, new FakeClock(), logOptions()).close()
    openLog(disk, new FakeClock(), logOptions()).abandon()
    openLog(disk, new FakeClock(), logOptions()).close()
  })
})

describe("files of a log on the real disk", () => {
  const live = (root: string): void => {
    const clock = new FakeClock()
    const writer = new Writer(openLog(nodeDisk(root), clock, logOptions()), clock, new Random(2))
    for (let i = 0; i < 60; i++) {
      writer.append(3)
      writer.commit()
    }
    writer.log.close()
    const outcome = outcomeOf(nodeDisk(root))
    expect("lines" in outcome && outcome.lines).toEqual(writer.lines)
  }

  it("are 0600 and folders 0700, whatever the umask", () => {
    for (const mask of [0o000, 0o022, 0o077]) {
      const root = folder()
      const before = process.umask(mask)
      try {
        live(root)
      } finally {
        process.umask(before)
      }
      const seen: Array<string> = []
      for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name)
        const mode = fs.statSync(file).mode & 0o777
        seen.push(entry.name)
        expect(mode.toString(8), file).toBe(entry.isDirectory() ? "700" : "600")
      }
      expect(seen).toContain("MANIFEST")
      expect(seen.filter((name) => name.endsWith(".evl")).length).toBeGreaterThan(1)
    }
  })

  it("a data directory behind a symbolic link works, and both paths share one lock", () => {
    const root = folder()
    const link = path.join(folder(), "data")
    fs.symlinkSync(root, link)
    live(link)
    const held = openLog(nodeDisk(root), new FakeClock(), logOptions())
    const second = outcomeOf(nodeDisk(link))
    expect(second.verdict).toBe("locked")
    held.close()
  })

  it("a file replaced by a symbolic link is not followed out of the directory", () => {
    const root = folder()
    live(root)
    const outside = path.join(folder(), "secret")
    fs.writeFileSync(outside, "untouched")
    fs.rmSync(path.join(root, "MANIFEST.prev"), { force: true })
    fs.rmSync(path.join(root, "MANIFEST"))
    fs.symlinkSync(outside, path.join(root, "MANIFEST"))
    try {
      openLog(nodeDisk(root), new FakeClock(), logOptions()).close()
    } catch (error) {
      expect(error).toSatisfy((e: unknown) => e instanceof DiskError || (e as { _tag?: string })._tag === "LogCorrupt")
    }
    expect(fs.readFileSync(outside, "latin1")).toBe("untouched")
  })

  it("a directory that cannot be written is refused with the disk's own error", () => {
    for (const code of ["EROFS", "EACCES"]) {
      const disk = new SimDisk()
      for (const operation of ["makeFolder", "write", "rename", "unlink", "truncate"] as const) {
        disk.fail({ operation, code, times: Infinity })
      }
      expect(() => openLog(disk, new FakeClock(), logOptions())).toThrow(expect.objectContaining({ code }))
      expect(() => disk.lock("LOCK")(), "the lock is not left behind").not.toThrow()
    }
    if (process.getuid?.() !== 0) {
      const root = folder()
      fs.chmodSync(root, 0o500)
      expect(() => openLog(nodeDisk(root), new FakeClock(), logOptions())).toThrow(DiskError)
    }
  })
})
