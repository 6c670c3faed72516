/**
 * The argument notation of the documentation, read into the tree COMMAND DOCS answers: `[ ]` optional, `< >` grouped,
 * `|` a choice, capitals literal words, `...` repeated.
 */

/** One argument of COMMAND DOCS. */
export interface Argument {
  readonly name: string
  readonly type: "key" | "string" | "integer" | "pattern" | "unix-time" | "pure-token" | "oneof" | "block"
  readonly token?: string
  readonly optional: boolean
  readonly multiple: boolean
  readonly arguments?: ReadonlyArray<Argument>
}

const keyNames = /^(key|newkey|source|destination|key\d)$/
const integerNames =
  /^(seconds|milliseconds|count|index\d?|offset|increment|decrement|cursor|db|destination-db|start|end|timeout|numkeys|min-match-len|protover|client-id|maxage|lowerbound|upperbound)$/

const typeOf = (name: string): Argument["type"] =>
  keyNames.test(name)
    ? "key"
    : name === "pattern"
    ? "pattern"
    : name.startsWith("unix-time")
    ? "unix-time"
    : integerNames.test(name)
    ? "integer"
    : "string"

const single = (name: string, token?: string): Argument => ({
  name,
  type: typeOf(name),
  ...(token === undefined ? {} : { token }),
  optional: false,
  multiple: false
})

const isToken = (word: string): boolean => /^[A-Z][A-Z0-9-]*$/.test(word)

/** Several arguments as one. */
const group = (items: ReadonlyArray<Argument>): Argument => {
  const [first] = items
  if (first !== undefined && items.length === 1) return first
  return { name: first?.name ?? "", type: "block", optional: false, multiple: false, arguments: items }
}

const sameNames = (a: ReadonlyArray<Argument>, b: ReadonlyArray<Argument>): boolean =>
  a.length === b.length && a.every((item, i) => item.name === b[i]!.name && item.token === b[i]!.token)

/** Reads words from left to right; every method leaves `at` behind what it read. */
class Reader {
  private readonly words: ReadonlyArray<string>
  private at = 0
  constructor(syntax: string) {
    this.words = syntax.match(/\.\.\.|[[\]<>|]|[^\s[\]<>|]+/g) ?? []
  }

  /** Everything up to a closing bracket or the end: a sequence, or a choice between sequences. */
  choice(): ReadonlyArray<Argument> {
    const alternatives = [this.sequence()]
    while (this.words[this.at] === "|") {
      this.at++
      alternatives.push(this.sequence())
    }
    if (alternatives.length === 1) return alternatives[0]!
    const choices = alternatives.map(group)
    return [{ name: choices[0]!.name, type: "oneof", optional: false, multiple: false, arguments: choices }]
  }

  private sequence(): ReadonlyArray<Argument> {
    const items: Array<Argument> = []
    for (;;) {
      const word = this.words[this.at]
      if (word === undefined || word === "]" || word === ">" || word === "|") return items
      this.at++
      if (word === "[") this.optional(items)
      else if (word === "<") {
        items.push(group(this.choice()))
        this.at++
      } else if (word === "...") {
        const last = items.pop()
        if (last !== undefined) items.push({ ...last, multiple: true })
      } else if (isToken(word)) items.push(this.token(word))
      else items.push(single(word))
    }
  }

  /** `[key ...]` after `key` says that what stands before may be repeated. */
  private optional(items: Array<Argument>): void {
    const from = this.at
    const inner = this.choice()
    const repeats = this.words.slice(from, this.at).at(-1) === "..."
    this.at++
    const plain = repeats ? inner.map((item) => ({ ...item, multiple: false })) : inner
    if (repeats && sameNames(items.slice(-plain.length), plain)) {
      const repeated = group(items.splice(-plain.length))
      items.push({ ...repeated, multiple: true })
    } else items.push({ ...group(inner), optional: true })
  }

  /** A literal word, with the value that follows it if any. */
  private token(word: string): Argument {
    const next = this.words[this.at]
    if (next !== undefined && /^[a-z]/.test(next)) {
      this.at++
      return single(next, word)
    }
    if (next === "<") {
      this.at++
      const value = group(this.choice())
      this.at++
      return { ...value, token: word }
    }
    return { name: word.toLowerCase(), type: "pure-token", token: word, optional: false, multiple: false }
  }
}

/** The arguments of a syntax line. */
export const parseSyntax = (syntax: string): ReadonlyArray<Argument> => new Reader(syntax).choice()
