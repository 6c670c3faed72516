import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

/** The transcript of a script in an empty server; three members make a sorted set large. */
export const script = (text: string, protocol: 2 | 3 = 2): string => {
  const harness = new Harness()
  harness.keyspace.limits.sortedSetEntries = 2
  harness.connection.client.protocol = protocol
  return transcript(text, { harness })
}

/** The same with the replies of RESP3. */
export const script3 = (text: string): string => script(text, 3)
