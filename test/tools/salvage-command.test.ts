import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { afterAll, describe, expect, it } from "vitest"
import { nodeDisk } from "../../src/log/disk.ts"
import { openLog } from "../../src/log/store.ts"
import { FakeClock, outcomeOf } from "../support/log-writer.ts"
import { smallSegments } from "../support/sample-log.ts"

import { cleanUp, closed, filesOf, load, newFolder, run, scratch, store } from "./salvage-support.ts"

afterAll(cleanUp)

describe("the command line of annals salvage", () => {
  it("refuses wrong usage with 2 and touches nothing", () => {
    const dir = store(filesOf(closed))
    const before = load(dir)
    const file = join(scratch, "file")
    writeFileSync(file, "")
    for (
      const argv of [
        [],
        ["--dir", dir],
        ["--out", newFolder()],
        ["--dir", join(scratch, "nowhere"), "--out", newFolder()],
        ["--dir", dir, "--out", dir],
        ["--dir", dir, "--out", join(dir, "salvaged")],
        ["--dir", dir, "--out", file],
        ["--dir", dir, "--out", scratch],
        ["--dir", dir, "--out"],
        ["--dir", dir, "--out", newFolder(), "--force"],
        [dir, newFolder()]
      ]
    ) {
      const { code, err } = run(...argv)
      expect(code, argv.join(" ")).toBe(2)
      expect(err).toContain("Usage: annals salvage")
    }
    const empty = newFolder()
    mkdirSync(empty)
    expect(run("--dir", empty, "--out", newFolder()).err).toContain("holds no log")
    expect(load(dir)).toEqual(before)
  })

  it("prints its help, and takes = as a server does", () => {
    expect(run("--help")).toMatchObject({ code: 0, err: "" })
    const out = newFolder()
    mkdirSync(out)
    expect(run(`--dir=${store(filesOf(closed))}`, `--out=${out}`).code).toBe(0)
  })

  it("says 5 while a server uses the directory", () => {
    const dir = store(filesOf(closed))
    const log = openLog(nodeDisk(dir), new FakeClock(), smallSegments)
    const out = newFolder()
    const { code, err } = run("--dir", dir, "--out", out)
    log.abandon()
    expect(code).toBe(5)
    expect(err).toContain("in use")
    expect(existsSync(out)).toBe(false)
  })

  it("killed on its way leaves a directory that no server starts on", () => {
    const dir = newFolder()
    mkdirSync(join(dir, "salvage.partial", "log"), { recursive: true })
    writeFileSync(join(dir, "MANIFEST"), "annals salvage has not finished writing this directory\n")
    expect(outcomeOf(nodeDisk(dir), smallSegments).verdict).toBe("corrupt")
  })

  it("says 3 when the new directory cannot be written", () => {
    const file = join(scratch, "no folder")
    writeFileSync(file, "")
    const { code, err } = run("--dir", store(filesOf(closed)), "--out", join(file, "new"))
    expect(code).toBe(3)
    expect(err).toContain("ENOTDIR")
  })

  it("says 4 to a newer format", () => {
    const files = filesOf(closed)
    const bytes = Buffer.from(files.get(closed.sealed[1]!)!)
    bytes.writeUInt16LE(2, 8)
    bytes.writeUInt16LE(2, 10)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 124)), 124)
    files.set(closed.sealed[1]!, bytes)
    const out = newFolder()
    const { code, err } = run("--dir", store(files), "--out", out)
    expect(code).toBe(4)
    expect(err).toContain("newer version")
    expect(existsSync(out)).toBe(false)
  })
})
