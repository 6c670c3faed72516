/** The configuration of one server: values by name, some of which change while it runs. */
import { Context, Effect, Layer } from "effect"
import { parseCommandLine, parseEnvironment } from "./command-line.ts"
import { type Directive, readConfFile } from "./conf-file.ts"
import { ConfigInvalid } from "./errors.ts"
import { type Parameter, type ParameterName, parameterNamed, parameters, type ValueOf } from "./parameters.ts"

/** Values by parameter. Readers ask anew each time they need one, so that CONFIG SET takes effect at once. */
export class Configuration {
  /** Path of the file it was read from; "" when there was none. */
  readonly file: string
  private readonly values = new Map<ParameterName, unknown>()
  private readonly listeners: Array<(name: ParameterName) => void> = []

  constructor(directives: Iterable<Directive> = [], file = "") {
    this.file = file
    for (const directive of directives) this.apply(directive)
  }

  get<Name extends ParameterName>(name: Name): ValueOf<Name> {
    const value = this.values.get(name)
    return (value === undefined ? parameters[name].initial : value) as ValueOf<Name>
  }

  /** As CONFIG GET prints it. */
  print(name: ParameterName): string {
    return (parameters[name] as Parameter<unknown>).kind.print(this.get(name))
  }

  private apply({ name, where, words }: Directive): void {
    const found = parameterNamed(name)
    if (found === undefined) {
      throw new ConfigInvalid({ where, problem: `unknown directive '${name}'; remove it or check its spelling` })
    }
    const [own, row] = found
    const problem = this.set(own, row, words)
    if (problem !== undefined) throw new ConfigInvalid({ where, problem: `'${own} ${words.join(" ")}': ${problem}` })
  }

  private set(name: ParameterName, row: Parameter<unknown>, words: ReadonlyArray<string>): string | undefined {
    const value = row.kind.parse(words, this.get(name))
    if (value === undefined) return row.kind.complaint(words)
    const refusal = row.refuse?.(value)
    if (refusal !== undefined) return refusal
    this.values.set(name, value)
    return undefined
  }

  /**
   * CONFIG SET: changes all of these parameters or none. The refusal names the parameter; it has no reason when the
   * parameter is unknown.
   */
  changeAll(
    pairs: ReadonlyArray<readonly [name: string, value: string]>
  ): { readonly name: string; readonly reason: string | undefined } | undefined {
    const unknown = pairs.find(([name]) => parameterNamed(name) === undefined)
    if (unknown !== undefined) return { name: unknown[0], reason: undefined }
    const before = new Map(this.values)
    const changed = new Set<ParameterName>()
    for (const [name, value] of pairs) {
      const [own, row] = parameterNamed(name)!
      const reason = !row.mutable
        ? "can't set immutable config"
        : changed.has(own)
        ? "duplicate parameter"
        : this.set(own, row, [value])
      if (reason !== undefined) {
        this.values.clear()
        for (const [kept, old] of before) this.values.set(kept, old)
        return { name: own, reason }
      }
      changed.add(own)
    }
    for (const name of changed) for (const listener of this.listeners) listener(name)
    return undefined
  }

  /** Changes a parameter while the server runs; returns why not, undefined when it was done. */
  change(name: string, words: ReadonlyArray<string>): string | undefined {
    const found = parameterNamed(name)
    if (found === undefined) return "unknown parameter"
    const [own, row] = found
    if (!row.mutable) return "can't set immutable config"
    const problem = this.set(own, row, words)
    if (problem === undefined) { for (const listener of this.listeners) listener(own) }
    return problem
  }

  /** Calls back after a parameter was changed by `change`. */
  onChange(listener: (name: ParameterName) => void): void {
    this.listeners.push(listener)
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
  /** From arguments and environment: defaults, then environment, then the file, then the command line. */
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

/** Reads a configuration; throws `ConfigInvalid`. */
export const load = (
  argv: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Configuration => {
  const line = parseCommandLine(argv)
  const file = line.file === undefined ? [] : readConfFile(line.file)
  return new Configuration([...parseEnvironment(environment), ...file, ...line.directives], line.file ?? "")
}
