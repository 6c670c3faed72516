/** Finders of keys for commands whose keys or flags depend on the other arguments. */
import { isWord } from "../../../src/commands/arguments.ts"
import type { Argv, FoundKey, KeyFlag } from "../../../src/commands/define.ts"

const found = (argv: Argv, index: number, ...flags: ReadonlyArray<KeyFlag>): FoundKey => ({
  key: argv.at(index),
  flags
})

/** SET reads only with GET. */
export const setKeys = (argv: Argv): ReadonlyArray<FoundKey> => {
  for (let i = 3; i < argv.length; i++) if (isWord(argv.at(i), "GET")) return [found(argv, 1, "RW", "access", "update")]
  return [found(argv, 1, "OW", "update")]
}

/** BITFIELD that only gets does not write. */
export const bitfieldKeys = (argv: Argv): ReadonlyArray<FoundKey> => {
  for (let i = 2; i < argv.length;) {
    if (isWord(argv.at(i), "GET") && i + 2 < argv.length) i += 3
    else if (isWord(argv.at(i), "OVERFLOW") && i + 1 < argv.length) i += 2
    else return [found(argv, 1, "RW", "access", "update")]
  }
  return [found(argv, 1, "RO", "access")]
}

export const sortReadOnlyKeys = (argv: Argv): ReadonlyArray<FoundKey> => [found(argv, 1, "RO", "access")]

/** The last STORE counts that is not an operand of something else. */
export const sortKeys = (argv: Argv): ReadonlyArray<FoundKey> => {
  let target = 0
  for (let i = 2; i < argv.length; i++) {
    const word = argv.at(i)
    if (isWord(word, "LIMIT")) i += 2
    else if (isWord(word, "GET") || isWord(word, "BY")) i += 1
    else if (isWord(word, "STORE") && i + 1 < argv.length) target = i + 1
  }
  return [found(argv, 1, "RO", "access"), ...(target === 0 ? [] : [found(argv, target, "OW", "update")])]
}

/** One key, or an empty one and the rest after KEYS. */
export const migrateKeys = (argv: Argv): ReadonlyArray<FoundKey> => {
  const flags = ["RW", "access", "delete"] as const
  for (let i = 6; i < argv.length - 1; i++) {
    const word = argv.at(i)
    if (isWord(word, "AUTH")) i += 1
    else if (isWord(word, "AUTH2")) i += 2
    else if (isWord(word, "KEYS")) {
      if (argv.at(3).length > 0) return []
      return Array.from({ length: argv.length - i - 1 }, (_, n) => found(argv, i + 1 + n, ...flags))
    }
  }
  return [found(argv, 3, ...flags)]
}
