/** A data directory that can be read and nothing else: whoever tries to change it has made a mistake. */
import { LogDirectory } from "../history/log-directory.ts"
import type { LogView } from "../history/log-view.ts"
import { type Disk, DiskError, type DiskFile } from "../log/disk.ts"
import { readManifest } from "../log/manifest.ts"
import { type Context, exitCodes, Failed } from "./context.ts"

const refuse = (operation: string) => (name: string): never => {
  throw new DiskError("EROFS", operation, name, "what is looked at is never changed")
}

/** The same disk, for reading only. */
export const readOnly = (disk: Disk): Disk => ({
  open: (name, how) => how === "read" ? new ReadOnlyFile(disk.open(name, "read"), name) : refuse("open")(name),
  list: (folder) => disk.list(folder),
  exists: (name) => disk.exists(name),
  readFile: (name) => disk.readFile(name),
  rename: refuse("rename"),
  unlink: refuse("unlink"),
  makeFolder: refuse("makeFolder"),
  syncFolder: refuse("syncFolder"),
  lock: refuse("lock"),
  writeFileAtomic: refuse("replace")
})

class ReadOnlyFile implements DiskFile {
  private readonly file: DiskFile
  private readonly name: string
  constructor(file: DiskFile, name: string) {
    this.file = file
    this.name = name
  }
  read(bytes: Uint8Array, start: number, length: number, position: number): number {
    return this.file.read(bytes, start, length, position)
  }
  size(): number {
    return this.file.size()
  }
  close(): void {
    this.file.close()
  }
  write(): never {
    return refuse("write")(this.name)
  }
  writeLater(): never {
    return refuse("write")(this.name)
  }
  datasync(): never {
    return refuse("sync")(this.name)
  }
  sync(): never {
    return refuse("sync")(this.name)
  }
  truncate(): never {
    return refuse("truncate")(this.name)
  }
}

/** Where a server looks unless told otherwise. */
const usual = "./data"

/** An opened source. */
export interface Source {
  readonly name: string
  readonly disk: Disk
  readonly directory: LogDirectory
}

/** Opens the data directory an option names. Throws `Failed` when it holds no log. */
export const openSource = (context: Context, dir: string | undefined): Source => {
  const name = dir ?? usual
  const disk = readOnly(context.source(name))
  if (!disk.list("log").some((base) => /^[0-9]{20}\.ev[lz]$/.test(base))) {
    const manifest = readManifest(disk)
    if (manifest.kind === "none" && manifest.damaged) {
      throw new Failed(
        `${name} holds no log, and its MANIFEST is none: it was never finished, or is damaged`,
        exitCodes.damaged
      )
    }
    if (manifest.kind === "none") {
      throw new Failed(`${name} holds no log${dir === undefined ? "; --dir names the data directory" : ""}`)
    }
  }
  return { name, disk, directory: new LogDirectory(disk) }
}

/** The log of a data directory as it is now. */
export const viewOf = (context: Context, dir: string | undefined): LogView => openSource(context, dir).directory.view()
