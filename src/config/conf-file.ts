/** redis.conf syntax: one directive a line, words as in a shell, '#' comments, include. No line goes on in the next. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, isAbsolute, join } from "node:path"
import { ConfigInvalid } from "./errors.ts"
import { parameterNamed } from "./parameters.ts"

/** One directive and where it stands, for messages. */
export interface Directive {
  readonly name: string
  readonly words: ReadonlyArray<string>
  /** "redis.conf:12", "command line", "environment variable ANNALS_PORT". */
  readonly where: string
  /** The line as written, where it comes from a file. */
  readonly line?: string
  /** It stands in a file that the configuration file includes. */
  readonly included?: true
  /** Replaces what earlier directives said of the parameter instead of adding to it. */
  readonly anew?: true
}

const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" }

/**
 * Splits a line into words: "…" with escapes and \xNN, '…' with \' only. Undefined when quotes do not balance. `charOf`:
 * what stands in a word for the byte of \xNN.
 */
export const splitLine = (
  line: string,
  charOf: (byte: number) => string = String.fromCharCode
): Array<string> | undefined => {
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
          word += charOf(parseInt(hex[1]!, 16))
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

/** A file's name, as messages show it, and its text. */
export type ConfText = readonly [name: string, text: string]

/**
 * The directives of a file's text. `load` reads what an include names, which may be several files or, for a pattern,
 * none. Throws `ConfigInvalid` naming file and line.
 */
export const parseConf = (
  name: string,
  content: string,
  load: (path: string, where: string) => ReadonlyArray<ConfText>,
  depth = 0
): Array<Directive> =>
  content.split("\n").flatMap((raw, index): Array<Directive> => {
    const line = raw.trim()
    const where = `${name}:${index + 1}`
    if (line === "" || line.startsWith("#")) return []
    const parts = splitLine(line)
    if (parts === undefined) {
      const first = line.split(/\s/, 1)[0]!
      const shown = parameterNamed(first)?.[1].secret === true ? `${first} (secret)` : line
      throw new ConfigInvalid({ where, line: shown, problem: "Unbalanced quotes in configuration line" })
    }
    const [directive, ...rest] = parts
    if (directive === undefined) return []
    if (directive.toLowerCase() !== "include") {
      return [{ name: directive, words: rest, where, line, ...depth > 0 ? { included: true as const } : {} }]
    }
    if (rest.length !== 1) {
      throw new ConfigInvalid({ where, line, problem: "Bad directive or wrong number of arguments" })
    }
    if (depth >= deepestInclude) {
      throw new ConfigInvalid({ where, line, problem: "includes nest too deep" })
    }
    return load(rest[0]!, where).flatMap(([path, text]) => parseConf(path, text, load, depth + 1))
  })

/** Descriptor of standard input. */
const standardInput = 0

const read = (path: string | typeof standardInput, where: string): ConfText => {
  try {
    return [path === standardInput ? "standard input" : path, readFileSync(path, "utf8")]
  } catch (cause) {
    throw new ConfigInvalid({
      where,
      problem: `cannot read ${path === standardInput ? "standard input" : path}: ${(cause as Error).message}`
    })
  }
}

const isPattern = (path: string): boolean => /[*?[]/.test(path)

/** Files an include names: a pattern may match none; a name that is not there from here is sought beside `file`. */
const included = (path: string, file: string): ReadonlyArray<string> => {
  const beside = isAbsolute(path) ? path : join(dirname(file), path)
  if (isPattern(path)) {
    const found = globSync(path)
    return (found.length > 0 ? found : globSync(beside)).toSorted()
  }
  return [existsSync(path) ? path : beside]
}

/** Reads a configuration file and what it includes. */
export const readConfFile = (path: string): Array<Directive> =>
  parseConf(...read(path, "command line"), (name, where) => included(name, path).map((file) => read(file, where)))

/** Reads configuration from standard input, and what it includes. */
export const readConfStdin = (): Array<Directive> =>
  parseConf(
    ...read(standardInput, "command line"),
    (name, where) => included(name, "./stdin").map((file) => read(file, where))
  )
