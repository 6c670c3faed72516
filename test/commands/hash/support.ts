import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

/** A harness in which the key "text" holds a string; hashes become tables with more than four fields. */
export const withText = (protocol: 2 | 3 = 2): Harness => {
  const harness = new Harness()
  harness.run("SET", "text", "a string")
  harness.keyspace.limits.hashEntries = 4
  harness.connection.client.protocol = protocol
  return harness
}

/** The transcript of a script in a database where "text" holds a string. */
export const script = (text: string, protocol: 2 | 3 = 2): string => transcript(text, { harness: withText(protocol) })
