/** The configuration of one server: values by name, some of which change while it runs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseCommandLine, parseEnvironment } from "./command-line.ts"
import { type Directive, readConfFile, readConfStdin } from "./conf-file.ts"
import { ignoredDirectives, unavailableDirectives } from "./directives.ts"
import { ConfigInvalid } from "./errors.ts"
import { type Parameter, type ParameterName, parameterNamed, parameters, type ValueOf } from "./parameters.ts"

/** Why CONFIG SET changed nothing; no reason means that the parameter is unknown. */
export interface Refusal {
  readonly name: string
  readonly reason: string | undefined
}

interface Applier {
  readonly names: ReadonlyArray<ParameterName>
  readonly run: () => string | undefined
}

/** Values as they stand: parsed, and as text where a number would lose digits. */
interface Values {
  readonly parsed: ReadonlyMap<ParameterName, unknown>
  readonly texts: ReadonlyMap<ParameterName, string>
}

/** The words of a value written as one: kinds of several words are split at each blank, as in Redis. */
const wordsOf = (row: Parameter<unknown>, value: string): ReadonlyArray<string> =>
  row.kind.several !== true ? [value] : value === "" ? [] : value.split(" ")

/** Values by parameter. Readers ask anew each time they need one, so that CONFIG SET takes effect at once. */
export class Configuration {
  /** Path of the file it was read from; "" when there was none. */
  readonly file: string
  /** What was set aside while it was read, for the log. */
  readonly warnings: ReadonlyArray<string>
  private readonly included = new Set<ParameterName>()
  private readonly parsed = new Map<ParameterName, unknown>()
  private readonly texts = new Map<ParameterName, string>()
  private readonly listeners: Array<(name: ParameterName) => void> = []
  private readonly appliers: Array<Applier> = []

  /** Throws `ConfigInvalid` for the first directive that cannot be used. */
  constructor(directives: Iterable<Directive> = [], file = "") {
    this.file = file
    const warnings: Array<string> = []
    const seen = new Set<ParameterName>()
    for (const directive of directives) this.read(directive, seen, warnings)
    this.warnings = warnings
  }

  get<Name extends ParameterName>(name: Name): ValueOf<Name> {
    const value = this.parsed.get(name)
    return (value === undefined ? parameters[name].initial : value) as ValueOf<Name>
  }

  /** Whether a file that the configuration file includes says something of a parameter. */
  isIncluded(name: ParameterName): boolean {
    return this.included.has(name)
  }

  /** As CONFIG GET prints it. */
  print(name: ParameterName): string {
    return this.texts.get(name) ?? (parameters[name] as Parameter<unknown>).kind.print(this.get(name))
  }

  /** As a file has it: like `print`, but sizes have their unit, and the data directory is absolute. */
  write(name: ParameterName): string {
    const { kind } = parameters[name] as Parameter<unknown>
    return this.texts.get(name) ?? kind.write?.(this.get(name)) ?? this.print(name)
  }

  private read(directive: Directive, seen: Set<ParameterName>, warnings: Array<string>): void {
    const { name, where, words } = directive
    const found = parameterNamed(name)
    const fail = (problem: string): never => {
      const said = found?.[1].secret === true ? `${name} (secret)` : [name, ...words].join(" ")
      throw new ConfigInvalid({
        where,
        line: directive.line === undefined || found?.[1].secret ? said : directive.line,
        problem
      })
    }
    if (found === undefined) {
      const lower = name.toLowerCase()
      if (ignoredDirectives.has(lower) && words.length === 1) return
      return fail(unavailableDirectives.get(lower) ?? "Bad directive or wrong number of arguments")
    }
    const [own, row] = found
    const list = words.length === 1 ? wordsOf(row, words[0]!) : words
    const value = row.kind.parse(list, this.get(own), seen.has(own) && directive.anew !== true)
    if (value === undefined) return fail(row.kind.complaint(list))
    const refusal = row.refuse?.(value)
    if (refusal !== undefined && row.tolerated !== true) fail(refusal)
    if (refusal !== undefined) warnings.push(`${where}: ${name} ${words.join(" ")} is set aside: ${refusal}`)
    else this.assign(own, row, value, list)
    seen.add(own)
    if (directive.included === true) this.included.add(own)
  }

  private assign(name: ParameterName, row: Parameter<unknown>, value: unknown, list: ReadonlyArray<string>): void {
    this.parsed.set(name, value)
    const exact = list.length === 1 ? row.kind.exact?.(list) : undefined
    if (exact === undefined) this.texts.delete(name)
    else this.texts.set(name, exact)
  }

  private save(): Values {
    return { parsed: new Map(this.parsed), texts: new Map(this.texts) }
  }

  private restore(values: Values): void {
    this.parsed.clear()
    this.texts.clear()
    for (const [name, value] of values.parsed) this.parsed.set(name, value)
    for (const [name, text] of values.texts) this.texts.set(name, text)
  }

  /** Sets one parameter; the reason when it stays as it was. */
  private change(name: ParameterName, row: Parameter<unknown>, text: string): string | undefined {
    const list = wordsOf(row, text)
    const value = row.kind.parse(list, this.get(name), false)
    if (value === undefined) return row.kind.complaint(list)
    const refusal = row.refuse?.(value)
    if (refusal !== undefined) return refusal
    if (row.fixedBecause !== undefined && row.kind.print(value) !== this.print(name)) return row.fixedBecause
    this.assign(name, row, value, list)
    return undefined
  }

  /**
   * CONFIG SET: changes all of these parameters or none, their effects included. As in Redis the refusal names the
   * parameter as it was typed when it is about the name, in lower case when it is about the value. `guardedToo` is whether this client may change protected parameters.
   */
  changeAll(
    pairs: ReadonlyArray<readonly [name: string, value: string]>,
    guardedToo = false
  ): Refusal | undefined {
    const typed = new Set<string>()
    for (const [name] of pairs) {
      const row = parameterNamed(name)?.[1]
      if (row === undefined) return { name, reason: undefined }
      if (!row.mutable) return { name, reason: "can't set immutable config" }
      if (row.guarded === true && !guardedToo) return { name, reason: "can't set protected config" }
      if (typed.has(name.toLowerCase())) return { name, reason: "duplicate parameter" }
      typed.add(name.toLowerCase())
    }
    const before = this.save()
    const changed = new Set<ParameterName>()
    for (const [name, value] of pairs) {
      const [own, row] = parameterNamed(name)!
      const reason = this.change(own, row, value)
      if (reason !== undefined) {
        this.restore(before)
        return { name: name.toLowerCase(), reason }
      }
      changed.add(own)
    }
    const refusal = this.apply(changed, before)
    if (refusal !== undefined) return refusal
    for (const name of changed) for (const listener of this.listeners) listener(name)
    return undefined
  }

  /** Runs the effects of what changed; when one fails, all values and the effects that were had go back. */
  private apply(changed: ReadonlySet<ParameterName>, before: Values): Refusal | undefined {
    const concerned = this.appliers.filter(({ names }) => names.some((name) => changed.has(name)))
    for (const [index, { names, run }] of concerned.entries()) {
      const reason = run()
      if (reason === undefined) continue
      this.restore(before)
      for (const done of concerned.slice(0, index + 1)) done.run()
      return { name: names.find((name) => changed.has(name))!, reason }
    }
    return undefined
  }

  /** A value has come to be another by a command of its own: CONFIG GET and CONFIG REWRITE go by it. */
  note<Name extends ParameterName>(name: Name, value: ValueOf<Name>): void {
    this.parsed.set(name, value)
    this.texts.delete(name)
  }

  /** Calls back after a parameter was changed by CONFIG SET. */
  onChange(listener: (name: ParameterName) => void): void {
    this.listeners.push(listener)
  }

  /**
   * Has an effect that may fail run whenever CONFIG SET changes one of these parameters. It reads the new values, and
   * answers why it cannot have them; CONFIG SET then fails as a whole, and it is run again with the old ones.
   */
  onApply(names: ReadonlyArray<ParameterName>, run: () => string | undefined): void {
    this.appliers.push({ names, run })
  }

  /** Every name with its value as printed, aliases included. */
  *printed(): Iterable<readonly [string, string]> {
    for (const [name, row] of Object.entries(parameters) as Array<[ParameterName, Parameter<unknown>]>) {
      yield [name, this.print(name)]
      for (const alias of row.aliases ?? []) yield [alias, this.print(name)]
    }
  }
}

/** The server's configuration as a service. */
export class ServerConfig extends Context.Service<ServerConfig, Configuration>()("annals/config/ServerConfig") {
  /** From arguments and environment: defaults, then the file, then the environment, then the command line. */
  static readonly layer = (
    argv: ReadonlyArray<string>,
    environment: Readonly<Record<string, string | undefined>>
  ): Layer.Layer<ServerConfig, ConfigInvalid> =>
    Layer.effect(
      ServerConfig,
      Effect.try({
        try: () => load(argv, environment),
        catch: (cause) => {
          if (cause instanceof ConfigInvalid) return cause
          throw cause
        }
      })
    )
}

/** Reads a configuration, the later source winning over the earlier; throws `ConfigInvalid`. */
export const load = (
  argv: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Configuration => {
  const line = parseCommandLine(argv)
  return new Configuration(
    [
      ...line.file === undefined ? [] : readConfFile(line.file),
      ...line.stdin ? readConfStdin() : [],
      ...parseEnvironment(environment),
      ...line.directives
    ],
    line.file ?? ""
  )
}
