/**
 * The notation of a command's arguments, read into the tree that COMMAND DOCS answers. It is that of the documentation
 * with a few additions, so that one line says everything:
 *
 *   key value          arguments by name; what type a name has is in the tables below
 *   name(integer)      of another type than its name has; name(key#1): of that key specification
 *   NX                 a literal word ("pure-token"), named `nx`
 *   sorting=ALPHA      a literal word of another name; the word may be any but a bracket
 *   EX seconds         an argument after a literal word
 *   [ … ]              optional
 *   < … >              several arguments that belong together ("block")
 *   < A | B >, [A | B] a choice ("oneof")
 *   <what: … >         a name for the block or choice, which else is called after its parts: a_b
 *   key [key ...]      one or more; also key ... ; [key ...] none or more; [KEYS key ...] the literal word once
 *   [GET pattern] ...  the literal word each time ("multiple_token")
 *   … @6.2.0           since that version; !2.8.12 deprecated since then; for brackets after the closing one
 */

/** The types of COMMAND DOCS. */
export type ArgumentType =
  | "key"
  | "string"
  | "integer"
  | "double"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block"

/** One argument of COMMAND DOCS. */
export interface Argument {
  readonly name: string
  readonly type: ArgumentType
  /** Index of the key specification, where it is not simply the next. */
  readonly keySpec?: number
  readonly token?: string
  readonly since?: string
  readonly deprecatedSince?: string
  readonly optional?: true
  readonly multiple?: true
  /** The token is repeated with each of several. */
  readonly multipleToken?: true
  readonly arguments?: ReadonlyArray<Argument>
}

const namesOf: Readonly<Partial<Record<ArgumentType, string>>> = {
  key: "key key1 key2 newkey source destination sourcekey destkey src dst",
  integer: "bit bits client-id cluster_bus_port config-epoch count cursor db decrement destination-db end end-slot " +
    "entries_added entries_read frequency increment index index1 index2 len limit milliseconds ms num-matches numkeys " +
    "numreplicas offset port protover rank seconds slot start start-slot stop ttl version weight maxage",
  double: "height latitude longitude radius score timeout width",
  pattern: "pattern",
  "unix-time": "unix-time-seconds unix-time-milliseconds"
}
const types = new Map(
  Object.entries(namesOf).flatMap(([type, names]) => names.split(" ").map((name) => [name, type as ArgumentType]))
)

const lexeme = /\s*(\.\.\.|[[<|]|[\]>](?:[@!][\d.]+)*|[^\s[\]<>|]+)/y
const version = /([@!])([\d.]+)/g

const lexemes = (syntax: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  lexeme.lastIndex = 0
  for (let match = lexeme.exec(syntax); match !== null; match = lexeme.exec(syntax)) found.push(match[1]!)
  return found
}

/** `@6.2.0!7.0.0` as fields. */
const versionsOf = (text: string): Pick<Argument, "since" | "deprecatedSince"> =>
  Object.fromEntries(
    [...text.matchAll(version)].map(([, mark, value]) => [mark === "@" ? "since" : "deprecatedSince", value])
  )

const wordForm = /^([^(@!]+)(?:\((.+)\))?((?:[@!][\d.]+)*)$/
const literalForm = /^(?:([^=]+)=)?([^@!]*)((?:[@!][\d.]+)*)$/

const isLiteral = (word: string): boolean => /^[A-Z][A-Z0-9-]*(?![^@!])/.test(word) || /^[^=(]+=/.test(word)

const literal = (word: string): Argument => {
  const [, name, token = "", versions = ""] = literalForm.exec(word)!
  return { name: name ?? token.toLowerCase(), type: "pure-token", token, ...versionsOf(versions) }
}

const value = (word: string): Argument => {
  const [, name = "", given = "", versions = ""] = wordForm.exec(word)!
  const [type = "", keySpec] = given.split("#")
  return {
    name,
    type: type === "" ? types.get(name) ?? "string" : type as ArgumentType,
    ...(keySpec === undefined ? {} : { keySpec: Number(keySpec) }),
    ...versionsOf(versions)
  }
}

/** Arguments that belong together, or between which there is a choice, under one name. */
const compound = (
  type: "block" | "oneof",
  parts: ReadonlyArray<Argument>,
  name: string | undefined
): Argument => ({ name: name ?? parts.map((part) => part.name).join("_"), type, arguments: parts })

/** Whether `again` repeats `list`; a literal word before the first may be left out. */
const repeats = (list: ReadonlyArray<Argument>, again: ReadonlyArray<Argument>): boolean =>
  list.length === again.length &&
  list.every(({ name, token }, i) =>
    name === again[i]!.name && (token === again[i]!.token || (list.length === 1 && again[i]!.token === undefined))
  )

/** Reads words from left to right; every method leaves `at` behind what it read. */
class Reader {
  private readonly words: ReadonlyArray<string>
  private at = 0
  constructor(syntax: string) {
    this.words = lexemes(syntax)
  }

  all(): ReadonlyArray<Argument> {
    return this.sequence()
  }

  /** What stands between brackets, the closing one included: as one argument if it has several parts or a name. */
  private bracket(always: boolean): { readonly inner: ReadonlyArray<Argument>; readonly whole: Argument } {
    const first = this.words[this.at]
    const name = first?.endsWith(":") === true ? first.slice(0, -1) : undefined
    if (name !== undefined) this.at++
    const alternatives = [this.sequence()]
    while (this.words[this.at] === "|") {
      this.at++
      alternatives.push(this.sequence())
    }
    const versions = versionsOf(this.words[this.at++] ?? "")
    const inner = alternatives[0]!
    if (alternatives.length > 1) {
      const choices = alternatives.map((list) => list.length === 1 ? list[0]! : compound("block", list, undefined))
      return { inner, whole: { ...compound("oneof", choices, name), ...versions } }
    }
    const [only] = inner
    const simple = only !== undefined && inner.length === 1 && name === undefined && !always
    return { inner, whole: { ...(simple ? only : compound("block", inner, name)), ...versions } }
  }

  private sequence(): ReadonlyArray<Argument> {
    const items: Array<Argument> = []
    for (;;) {
      const word = this.words[this.at]
      if (word === undefined || word[0] === "]" || word[0] === ">" || word === "|") return items
      this.at++
      if (word === "[") this.optional(items)
      else if (word === "<") items.push(this.bracket(true).whole)
      else if (word === "...") this.repeat(items)
      else items.push(isLiteral(word) ? this.literal(word) : value(word))
    }
  }

  /** Dots after a bracket repeat a literal word within it, dots inside do not. */
  private repeat(items: Array<Argument>): void {
    const last = items.pop()
    if (last === undefined) return
    const each = this.words[this.at - 2]?.startsWith("]") === true && last.token !== undefined
    items.push({ ...last, multiple: true, ...(each ? { multipleToken: true } : {}) })
  }

  /** `[key ...]` after `key` says that what stands before may be repeated. */
  private optional(items: Array<Argument>): void {
    const from = this.at
    const { inner, whole } = this.bracket(false)
    const dots = this.words.slice(from, this.at - 1).at(-1) === "..."
    const before = items.slice(-inner.length)
    if (!dots || !repeats(before, inner)) {
      items.push({ ...whole, optional: true })
      return
    }
    items.splice(-inner.length)
    if (before.length > 1) items.push({ ...compound("block", before, undefined), multiple: true })
    else {items.push({
        ...before[0]!,
        multiple: true,
        ...(inner[0]!.token === undefined ? {} : { multipleToken: true })
      })}
  }

  /** A literal word, with the value that follows it if any; a version stands after the value. */
  private literal(word: string): Argument {
    const next = this.words[this.at]
    const { token, ...rest } = literal(word)
    const alone = rest.since !== undefined || rest.deprecatedSince !== undefined || word.includes("=")
    if (!alone && next !== undefined && /^[a-z<]/.test(next) && !isLiteral(next)) {
      this.at++
      return { ...(next === "<" ? this.bracket(true).whole : value(next)), token: token! }
    }
    return { ...rest, token: token! }
  }
}

/** The arguments of a syntax line. */
export const parseSyntax = (syntax: string): ReadonlyArray<Argument> => new Reader(syntax).all()

const printAll = (list: ReadonlyArray<Argument>): string => list.map(printOne).join(" ")

const printOne = (argument: Argument): string => {
  const { multiple, multipleToken, optional, token, type } = argument
  const parts = argument.arguments ?? []
  const content = type === "oneof"
    ? parts.map(printOne).join(" | ")
    : type === "block"
    ? printAll(parts)
    : type === "pure-token"
    ? ""
    : argument.name
  const needsBrackets = type === "oneof" && (optional !== true || token !== undefined || multiple === true)
  const body = needsBrackets ? `<${content}>` : content
  const prefix = token === undefined ? "" : token === "" ? "\"\"" : token
  const once = [prefix, body].filter((text) => text !== "").join(" ")
  const again = multipleToken === true ? once : body
  const whole = multiple === true ? `${once} [${again} ...]` : once
  return optional === true ? `[${whole}]` : whole
}

/** Arguments as the documentation prints them, without names of groups, types and versions. */
export const printSyntax = (list: ReadonlyArray<Argument>): string => printAll(list)
