import { Type } from "../../../src/projections/entry.ts"
import { Slice } from "../../../src/projections/memory/slice.ts"
import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

/** A harness in which the key "list" holds a list, so that commands over strings meet something they cannot use. */
export const withList = (): Harness => {
  const harness = new Harness()
  harness.keyspace.turn.next(harness.now)
  harness.keyspace.database(0).create(Slice.latin1("list"), Type.list, 2, 0, 8)
  return harness
}

/** The transcript of a script in a database where "list" holds a list. */
export const script = (text: string): string => transcript(text, { harness: withList() })

/** The same with the replies of RESP3. */
export const script3 = (text: string): string => {
  const harness = withList()
  harness.connection.client.protocol = 3
  return transcript(text, { harness })
}
