import * as Schema from "effect/Schema"

/**
 * A directive or argument that cannot be used; the process ends with exit code 2. `where` is "redis.conf:12", "command
 * line", "environment variable ANNALS_PORT"; `line` is the directive as written, without secrets, where there is one.
 */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  where: Schema.String,
  line: Schema.optional(Schema.String),
  problem: Schema.String
}) {
  override get message(): string {
    return this.line === undefined
      ? `${this.where}: ${this.problem}`
      : `*** FATAL CONFIG FILE ERROR ***\nReading the configuration, at ${this.where}\n>>> '${this.line}'\n${this.problem}`
  }
}
