/** redis.conf syntax: one directive a line, words as in a shell, '#' comments, include. */
import { readFileSync } from "node:fs"
import { dirname, isAbsolute, join } from "node:path"
import { ConfigInvalid } from "./errors.ts"

/** One directive and where it stands, for messages. */
export interface Directive {
  readonly name: string
  readonly words: ReadonlyArray<string>
  /** "redis.conf:12", "command line", "environment variable ANNALS_PORT". */
  readonly where: string
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" }

/** Splits a line into words: "…" with escapes and \xNN, '…' with \' only. Undefined when quotes do not balance. */
export const splitLine = (line: string): Array<string> | undefined => {
  const found: Array<string> = []
  let at = 0
  while (at < line.length) {
    if (/\s/.test(line[at]!)) {
      at++
      continue
    }
    let word = ""
    let quote = ""
    for (;;) {
      const c = line[at]
      if (c === undefined) {
        if (quote !== "") return undefined
        break
      }
      if (quote === "") {
        if (/\s/.test(c)) break
        if (c === "\"" || c === "'") quote = c
        else word += c
        at++
      } else if (c === quote) {
        at++
        if (line[at] !== undefined && !/\s/.test(line[at]!)) return undefined
        break
      } else if (c === "\\" && line[at + 1] !== undefined && (quote === "\"" || line[at + 1] === "'")) {
        const hex = quote === "\"" ? /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1)) : null
        if (hex !== null) {
          word += String.fromCharCode(parseInt(hex[1]!, 16))
          at += 4
        } else {
          word += escapes[line[at + 1]!] ?? line[at + 1]!
          at += 2
        }
      } else {
        word += c
        at++
      }
    }
    found.push(word)
  }
  return found
}

/** How deep includes may nest: a file that includes itself ends with a message instead of an endless loop. */
const deepestInclude = 16

/** The directives of a file's text. `load` reads an included file. Throws `ConfigInvalid` naming file and line. */
export const parseConf = (
  name: string,
  content: string,
  load: (path: string, where: string) => readonly [string, string],
  depth = 0
): Array<Directive> =>
  content.split(/\r?\n/).flatMap((line, index): Array<Directive> => {
    const where = `${name}:${index + 1}`
    if (/^\s*(#|$)/.test(line)) return []
    const parts = splitLine(line)
    if (parts === undefined) throw new ConfigInvalid({ where, problem: "quotes do not balance" })
    const [directive, ...rest] = parts
    if (directive === undefined) return []
    if (directive.toLowerCase() !== "include") return [{ name: directive, words: rest, where }]
    if (rest.length !== 1) throw new ConfigInvalid({ where, problem: "include takes one file name" })
    if (depth >= deepestInclude) throw new ConfigInvalid({ where, problem: "includes nest too deep" })
    const [path, text] = load(rest[0]!, where)
    return parseConf(path, text, load, depth + 1)
  })

/** Reads a configuration file and what it includes, relative names counting from the including file's folder. */
export const readConfFile = (path: string): Array<Directive> => {
  const read = (file: string, where: string): readonly [string, string] => {
    try {
      return [file, readFileSync(file, "utf8")]
    } catch (cause) {
      throw new ConfigInvalid({ where, problem: `cannot read ${file}: ${(cause as Error).message}` })
    }
  }
  const [name, content] = read(path, "command line")
  return parseConf(name, content, (file, where) => read(isAbsolute(file) ? file : join(dirname(path), file), where))
}
