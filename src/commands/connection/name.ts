import { ReplyError } from "../../net/resp/reply.ts"
import type { Slice } from "../../projections/memory/slice.ts"

/** Whether every byte is a printable ASCII character other than a space: what CLIENT LIST can show unescaped. */
export const isPlain = (text: Slice): boolean => {
  for (let i = 0; i < text.length; i++) {
    const byte = text.bytes[text.start + i]!
    if (byte < 33 || byte > 126) return false
  }
  return true
}

const badName = new ReplyError("ERR Client names cannot contain spaces, newlines or special characters.")

/** A connection's name, or the refusal of one that would break the lines of CLIENT LIST. */
export const checkName = (name: Slice): string => {
  if (!isPlain(name)) throw badName
  return name.latin1()
}
