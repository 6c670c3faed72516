import { Schema } from "effect"

/** A directive or argument that cannot be used. The process ends with exit code 2. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  where: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.where}: ${this.problem}`
  }
}
