import { Harness } from "../../support/harness.ts"
import { transcript } from "../../support/transcript.ts"

/** The transcript of a script in a database where "list" holds a list. */
export const script = (text: string): string => {
  const harness = new Harness()
  harness.run("RPUSH", "list", "x")
  return transcript(text, { harness })
}
