import { describe, expect, it } from "vitest"
import { DiskError } from "../../src/log/disk.ts"
import { forSeeds, Random } from "../support/random.ts"
import { SimDisk } from "../support/sim-disk.ts"

const put = (disk: SimDisk, name: string, text: string, position = 0): number => {
  const bytes = Buffer.from(text)
  const file = disk.open(name, disk.exists(name) ? "write" : "create")
  const count = file.write(bytes, 0, bytes.length, position)
  file.close()
  return count
}
const text = (disk: SimDisk, name: string): string => Buffer.from(disk.bytes(name)).toString("latin1")
const errno = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
  return "none"
}

describe("the simulated disk", () => {
  it("keeps what was synced, file and name, through every power cut, and may lose the rest", () => {
    const sizes = new Set<number>()
    const contents = new Set<string>()
    const disk = new SimDisk()
    disk.makeFolder("log")
    disk.syncFolder("")
    const file = disk.open("log/a", "create")
    file.write(Buffer.alloc(1000, "s"), 0, 1000, 0)
    file.sync()
    disk.syncFolder("log")
    file.write(Buffer.alloc(1000, "n"), 0, 1000, 1000)
    put(disk, "log/b", "never synced")
    let names = 0
    forSeeds(500, (random) => {
      const after = disk.afterCrash(random)
      const bytes = text(after, "log/a")
      expect(bytes.slice(0, 1000)).toBe("s".repeat(1000))
      expect(bytes.length).toBeLessThanOrEqual(2000)
      sizes.add(bytes.length)
      contents.add(bytes.slice(1024, 1536))
      if (after.exists("log/b")) names++
    })
    expect(sizes.size).toBeGreaterThan(50)
    expect(contents.size).toBeGreaterThan(10)
    expect(names).toBeGreaterThan(50)
    expect(names).toBeLessThan(450)
    expect(text(disk, "log/a")).toBe("s".repeat(1000) + "n".repeat(1000))
  })

  it("is deterministic in the seed", () => {
    const disk = new SimDisk()
    disk.put("a", new Uint8Array(700))
    put(disk, "a", "x".repeat(3000), 100)
    forSeeds(50, (_, seed) => {
      expect(disk.afterCrash(new Random(seed)).bytes("a")).toEqual(disk.afterCrash(new Random(seed)).bytes("a"))
    })
  })

  it("applies names in order: a later change never survives without the earlier ones", () => {
    const disk = new SimDisk()
    disk.put("log/a", Buffer.from("a"))
    put(disk, "log/b.tmp", "b")
    disk.rename("log/b.tmp", "log/b")
    disk.unlink("log/a")
    const seen = new Set<string>()
    forSeeds(200, (random) => void seen.add(disk.afterCrash(random).files().join(" ")))
    expect([...seen].sort()).toEqual(["log/a", "log/a log/b", "log/a log/b.tmp", "log/b"])
    disk.syncFolder("log")
    forSeeds(50, (random) => expect(disk.afterCrash(random).files()).toEqual(["log/b"]))
  })

  it("loses a folder whose parent was not synced, with what is in it", () => {
    const disk = new SimDisk()
    disk.makeFolder("log")
    put(disk, "log/a", "a")
    disk.syncFolder("log")
    const seen = new Set<string>()
    forSeeds(50, (random) => void seen.add(disk.afterCrash(random).files().join(" ")))
    expect(seen).toContain("")
  })

  it("completes a datasync when told, and covers what was written before the call only", () => {
    const disk = new SimDisk()
    disk.put("a", new Uint8Array(0))
    const file = disk.open("a", "write")
    file.write(Buffer.from("one"), 0, 3, 0)
    let done = 0
    file.datasync(() => done++)
    file.write(Buffer.from("two"), 0, 3, 3)
    expect(done).toBe(0)
    disk.runPending()
    expect(done).toBe(1)
    const seen = new Set<string>()
    forSeeds(100, (random) => void seen.add(text(disk.afterCrash(random), "a").slice(0, 3)))
    expect([...seen]).toEqual(["one"])
    forSeeds(100, (random) => void seen.add(text(disk.afterCrash(random), "a")))
    expect(seen.size).toBeGreaterThan(3)
  })

  it("does not write dropped pages when an fsync that failed is simply repeated", () => {
    const disk = new SimDisk()
    disk.put("a", new Uint8Array(0))
    const file = disk.open("a", "write")
    file.write(Buffer.from("lost"), 0, 4, 0)
    disk.fail({ operation: "fdatasync" })
    const results: Array<string> = []
    file.datasync((error) => results.push(error?.code ?? "ok"))
    disk.runPending()
    file.datasync((error) => results.push(error?.code ?? "ok"))
    disk.runPending()
    expect(results).toEqual(["EIO", "ok"])
    let lost = 0
    forSeeds(100, (random) => {
      if (text(disk.afterCrash(random), "a") !== "lost") lost++
    })
    expect(lost).toBeGreaterThan(10)
    expect(text(disk, "a")).toBe("lost") // the running system still sees it
  })

  it("fails the calls it is told to fail, and only those", () => {
    const disk = new SimDisk()
    disk.put("a", new Uint8Array(0))
    const second = disk.fail({ operation: "write", file: /^a$/, nth: 2, times: 2, code: "EDQUOT" })
    expect([1, 2, 3, 4].map(() => errno(() => put(disk, "a", "x")))).toEqual(["none", "EDQUOT", "EDQUOT", "none"])
    expect(second.failed()).toBe(2)
    const lasting = disk.fail({ operation: "rename", times: Infinity, code: "EROFS" })
    expect(errno(() => disk.rename("a", "b"))).toBe("EROFS")
    expect(errno(() => disk.rename("a", "b"))).toBe("EROFS")
    lasting.heal()
    expect(errno(() => disk.rename("a", "b"))).toBe("none")
    disk.fail({ operation: "write", short: 2 })
    expect(put(disk, "b", "12345")).toBe(2)
  })

  it("runs out of space after the bytes it has, first with a short write, and has room again when it is given", () => {
    const disk = new SimDisk()
    disk.put("a", new Uint8Array(0))
    disk.capacity = 7
    expect(put(disk, "a", "12345")).toBe(5)
    expect(put(disk, "a", "67890", 5)).toBe(2)
    expect(errno(() => put(disk, "a", "x", 7))).toBe("ENOSPC")
    expect(put(disk, "a", "overwrite"[0]!, 0)).toBe(1)
    disk.capacity = 100
    expect(put(disk, "a", "890", 7)).toBe(3)
  })

  it("locks like a process, and a kill gives the lock back but keeps the page cache", () => {
    const disk = new SimDisk()
    const release = disk.lock("LOCK")
    expect(errno(() => disk.lock("LOCK"))).toBe("ELOCKED")
    release()
    disk.lock("LOCK")
    put(disk, "a", "cached")
    disk.kill()
    disk.lock("LOCK")
    expect(text(disk, "a")).toBe("cached")
  })

  it("refuses names that lead out of the data directory", () => {
    const disk = new SimDisk()
    for (const name of ["../a", "/etc/passwd", "log/../../a", "", "log//a", "a\0b", "log/./a"]) {
      expect(errno(() => disk.open(name, "create")), name).toBe("EINVAL")
    }
  })
})
