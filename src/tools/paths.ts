/** Paths of the file system: what the tools that write must know before they do. */
import { existsSync, realpathSync, statSync } from "node:fs"
import { dirname, join, resolve, sep } from "node:path"

/** Whether there is a folder, or a link to one, at a path. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** The path without symbolic links, of which the last parts need not exist. */
export const realPath = (path: string): string =>
  existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(realPath(dirname(path)), path.slice(dirname(path).length))

/** Whether a path, which need not exist, is a folder or lies in it. */
export const isWithin = (path: string, folder: string): boolean => {
  const [real, from] = [realPath(resolve(path)), realPath(resolve(folder))]
  return real === from || real.startsWith(from.endsWith(sep) ? from : from + sep)
}
