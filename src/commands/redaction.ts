/** Which words of a request are secrets: they stand as "(redacted)" wherever a request is shown to somebody else. */
import { isWord, word } from "./arguments.ts"
import type { Argv } from "./define.ts"

/** What stands in a secret's place. */
export const redacted = "(redacted)"

/** Parameters whose values are secrets, as in Redis's list of sensitive ones, and our own. */
const secretParameters = new Set([
  "REQUIREPASS",
  "MASTERAUTH",
  "MASTERUSER",
  "PRIMARYAUTH",
  "PRIMARYUSER",
  "TLS-KEY-FILE-PASS",
  "TLS-CLIENT-KEY-FILE-PASS"
])

type Finder = (argv: Argv, index: number) => boolean

const afterOption = (argv: Argv, index: number, from: number, option: string, words: number): boolean => {
  for (let i = Math.max(from, index - words); i < index; i++) if (isWord(argv.at(i), option)) return true
  return false
}

/** For commands that take secrets: whether the word at an index is one. */
const finders: Readonly<Record<string, Finder>> = {
  "auth": () => true,
  "hello": (argv, index) => afterOption(argv, index, 2, "AUTH", 2),
  "config|set": (argv, index) => index > 2 && index % 2 === 1 && secretParameters.has(word(argv.at(index - 1))),
  "acl|setuser": () => true,
  "acl|deluser": () => true,
  "migrate": (argv, index) => afterOption(argv, index, 6, "AUTH", 1) || afterOption(argv, index, 6, "AUTH2", 2)
}

/** Finder of the secrets of a command (lower case, "container|sub"); undefined when it takes none. */
const finderOf = (name: string): Finder | undefined => Object.hasOwn(finders, name) ? finders[name] : undefined

/** Whether the word at `index` of a request for the command `name` is a secret. The command's own words never are. */
export const isSecret = (name: string, argv: Argv, index: number): boolean => {
  const own = name.includes("|") ? 2 : 1
  return index >= own && (finderOf(name)?.(argv, index) ?? false)
}
