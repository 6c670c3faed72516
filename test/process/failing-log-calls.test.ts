/** The calls by which the log goes from segment to segment fail, each at its first or second time, under the real server. */
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { plain } from "../support/resp-client.ts"
import { comeThrough, killAfterEach, mayTrace, start, startTraced } from "./faults.ts"
import { foldCopy, scratchDir, serverDigest } from "./oracle.ts"

killAfterEach()

const segment = (number: number): string => `log/${String(number).padStart(20, "0")}.evl`

describe.skipIf(!mayTrace)("a call of the log that fails", () => {
  // What fails, of which file, with what; and what the server says of it, if it has to say something.
  const cases: ReadonlyArray<readonly [what: string, file: string, inject: string, args?: ReadonlyArray<string>]> = [
    ["fsync of the segment that ends", segment(1), "fsync:error=EIO:when=1"],
    ["fdatasync in the background, with a full disk's word", segment(1), "fdatasync:error=ENOSPC:when=1"],
    ["writing the manifest", "MANIFEST.tmp", "pwrite64:error=ENOSPC:when=2..3"],
    ["creating the manifest", "MANIFEST.tmp", "openat:error=EACCES:when=2..4"],
    ["fsync of the manifest", "MANIFEST.tmp", "fsync:error=EIO:when=2"],
    ["renaming the manifest", "MANIFEST.tmp", "rename:error=EIO:when=2"],
    ["fsync of the data directory", "", "fsync:error=EIO:when=3..4"],
    ["fsync of the log's folder", "log", "fsync:error=EIO:when=2"],
    ["every write, interrupted by signals", segment(1), "pwrite64:error=EINTR:when=1..5"],
    ["writes, appendfsync always", segment(1), "pwrite64:error=ENOSPC:when=4..6", ["--appendfsync", "always"]],
    ["writes, appendfsync no", segment(1), "pwrite64:error=EDQUOT:when=3..8", ["--appendfsync", "no"]]
  ]
  for (const [what, file, inject, args] of cases) {
    it(`loses nothing: ${what} (${inject})`, async () => {
      const dir = scratchDir("log-call")
      const trace = { calls: inject.split(":")[0]!, inject, files: [join(dir, file)] }
      const { acknowledged } = await comeThrough(trace, dir, args ?? [])
      expect(acknowledged).toBeGreaterThan(20)
    })
  }

  it("is a read at the start: read again, until it is clear that it cannot be had (exit code 3)", async () => {
    const dir = scratchDir("log-read")
    const first = await start({ dir })
    const client = await first.client()
    for (let i = 0; i < 20; i++) await client.command("SET", `k${i}`, "v".repeat(100))
    const digest = await serverDigest(client)
    await first.kill()
    const trace = { calls: "pread64", files: [join(dir, segment(1))] }
    const second = await startTraced(dir, { ...trace, inject: "pread64:error=EIO:when=1..2" }, [])
    expect(await serverDigest(await second.client())).toBe(digest)
    await second.kill()
    const refused = startTraced(dir, { ...trace, inject: "pread64:error=EIO" }, [])
    await expect(refused).rejects.toThrow(/EIO/)
    await expect(refused).rejects.toMatchObject({ ended: { code: 3, signal: null } })
    const folded = foldCopy(dir)
    expect(folded.digest).toBe(digest)
    const last = await start({ dir })
    expect(plain(await (await last.client()).command("DBSIZE"))).toBe(20)
  })
})
