/** Requests for the tests of the network: what goes over the wire, and the words the server must make of it. */
import { Arguments, Parsed, RequestParser } from "../../src/net/resp/parser.ts"
import type { Random } from "../support/random.ts"
import { encodeRequest } from "../support/resp.ts"

/** Bytes on the wire, and the words of the request in them; undefined when they ask for nothing. */
export interface Sample {
  readonly wire: Buffer
  readonly words: ReadonlyArray<Buffer> | undefined
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1")

const multibulk = (...words: ReadonlyArray<string | Uint8Array>): Sample => {
  const buffers = words.map((word) => typeof word === "string" ? bytes(word) : Buffer.from(word))
  return { wire: encodeRequest(buffers), words: buffers }
}

const inline = (line: string, ...words: ReadonlyArray<string>): Sample => ({
  wire: bytes(line),
  words: words.length === 0 ? undefined : words.map(bytes)
})

/** Requests with something particular about them, each written out with the words it must give. */
export const particular: ReadonlyArray<Sample> = [
  multibulk("PING"),
  multibulk("GET", "key"),
  multibulk("SET", "key", "value"),
  multibulk(""),
  multibulk("", ""),
  multibulk("SET", "", ""),
  multibulk("ECHO", "\r\n"),
  multibulk("ECHO", "*1\r\n$4\r\nPING\r\n"),
  multibulk("ECHO", "$-1\r\n"),
  multibulk("ECHO", "\0"),
  multibulk("\0", "\0\0\0"),
  multibulk("ECHO", "\xff\xfe\x80\x00\x01"),
  multibulk("*", "$", ":", "+", "-"),
  multibulk(...Array.from({ length: 9 }, (_, i) => `${i}`)),
  multibulk(...Array.from({ length: 10 }, (_, i) => `${i}`)),
  multibulk(...Array.from({ length: 99 }, (_, i) => `word ${i}`)),
  multibulk(...Array.from({ length: 300 }, () => "")),
  multibulk("SET", "k", "x".repeat(9)),
  multibulk("SET", "k", "x".repeat(10)),
  multibulk("SET", "k", "x".repeat(99)),
  multibulk("SET", "k", "x".repeat(100)),
  multibulk("SET", "k", "x".repeat(16_384)),
  multibulk("SET", "k", "x".repeat(16_385)),
  multibulk("SET", "k", Buffer.alloc(100_000, 0)),
  multibulk("SET", Buffer.alloc(100_000, 13), "v"),
  multibulk("MSET", "a", Buffer.alloc(40_000, 10), "b", Buffer.alloc(60_000, 36)),
  { wire: bytes("*0\r\n"), words: undefined },
  { wire: bytes("*-1\r\n"), words: undefined },
  { wire: bytes("*-10\r\n"), words: undefined },
  { wire: bytes("*-9223372036854775808\r\n"), words: undefined },
  // What stands where CRLF should is not looked at.
  { wire: bytes("*1xx$4\r\nPING\r\n".replace("xx", "\rx")), words: [bytes("PING")] },
  { wire: bytes("*1\r\n$4\rxPINGxx"), words: [bytes("PING")] },
  inline("\n"),
  inline("\r\n"),
  inline("   \r\n"),
  inline("\t\v\f \n"),
  inline("PING\n", "PING"),
  inline("PING\r\n", "PING"),
  inline("PING\r\r\n", "PING"),
  inline("  SET  k\tv  \r\n", "SET", "k", "v"),
  inline("a\vb c\fd\r\n", "a\vb", "c\fd"),
  inline("\va \fb\r\n", "a", "b"),
  inline("SET k \"\"\r\n", "SET", "k", ""),
  inline("'' \"\"\n", "", ""),
  inline("ECHO \"a b\"\r\n", "ECHO", "a b"),
  inline("ECHO 'a b'\r\n", "ECHO", "a b"),
  inline("ECHO a\"b c\"\r\n", "ECHO", "ab c"),
  inline("ECHO \"'\" '\"'\r\n", "ECHO", "'", "\""),
  inline("ECHO \"say \\\"it's\\\"\"\r\n", "ECHO", "say \"it's\""),
  inline("ECHO 'it\\'s \\n'\r\n", "ECHO", "it's \\n"),
  inline("ECHO \"\\n\\r\\t\\b\\a\\\\\\q\"\r\n", "ECHO", "\n\r\t\b\x07\\q"),
  inline("ECHO \"\\x00\\xfF\\x4\\xg1\"\r\n", "ECHO", "\0\xffx4xg1"),
  inline("ECHO \\n \\\"a\"b\"\r\n".replace("\\\"a", "\\a"), "ECHO", "\\n", "\\ab"),
  inline("ECHO \"a\r\"\n", "ECHO", "a\r"),
  inline("\xff\xfe \x80\n", "\xff\xfe", "\x80"),
  inline("*notanarray\n".replace("*", "x*"), "x*notanarray"),
  inline("$4 PING\r\n", "$4", "PING"),
  inline(`ECHO ${"y".repeat(65_529)}\r\n`, "ECHO", "y".repeat(65_529)),
  inline(`${"ab ".repeat(21_844)}\r\n`, ...Array.from({ length: 21_844 }, () => "ab")),
  inline(`ECHO "${"\\x41".repeat(16_000)}"\n`, "ECHO", "A".repeat(16_000))
]

const alphabet = [..."abcXYZ019", " ", "\r", "\n", "\"", "'", "\\", "\0", "*", "$", "\xff", "\x80", "\t"]

/** A word of any bytes, mostly short. */
export const randomWord = (random: Random): Buffer => {
  const length = random.chance(0.05) ? random.between(100, 3000) : random.below(12)
  if (random.chance(0.2)) return Buffer.from(random.bytes(length))
  return bytes(Array.from({ length }, () => random.pick(alphabet)).join(""))
}

/** Writes a word so that an inline request keeps it: quoted, with escapes where needed. */
const quoted = (random: Random, word: Buffer): string => {
  const plainWord = word.length > 0 && word.every((byte) => byte > 34 && byte < 127 && byte !== 39 && byte !== 92)
  if (plainWord && random.chance(0.5)) return word.toString("latin1")
  if (random.chance(0.3) && word.every((byte) => byte !== 0 && byte !== 10 && byte !== 39 && byte !== 92)) {
    return `'${word.toString("latin1")}'`
  }
  return `"${
    [...word].map((byte) =>
      byte === 34 || byte === 92
        ? `\\${String.fromCharCode(byte)}`
        : byte < 32 || byte > 126
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte)
    ).join("")
  }"`
}

/** A request of random words in a random form. */
export const randomSample = (random: Random): Sample => {
  const kind = random.below(20)
  if (kind === 0) return inline(random.pick(["\n", "\r\n", " \r\n"]))
  if (kind === 1) return { wire: bytes(random.pick(["*0\r\n", "*-1\r\n", "*-77\r\n"])), words: undefined }
  const words = Array.from({ length: 1 + random.below(random.chance(0.1) ? 200 : 5) }, () => randomWord(random))
  if (kind < 13) return { wire: encodeRequest(words), words }
  const gap = () => random.pick([" ", " ", "  ", "\t"])
  const line = words.map((word) => quoted(random, word)).join(gap())
  const wire = bytes(
    `${random.chance(0.2) ? " " : ""}${line}${random.chance(0.2) ? " " : ""}${random.pick(["\n", "\r\n"])}`
  )
  // An inline request that begins with a star would be something else.
  return wire[0] === 42 ? { wire: encodeRequest(words), words } : { wire, words }
}

/** Cuts bytes at random places into 1 to `most` pieces, each a copy of its own. */
export const cutAnywhere = (random: Random, wire: Buffer, most: number): Array<Buffer> => {
  const cuts = Array.from({ length: random.below(most) }, () => random.below(wire.length + 1)).sort((a, b) => a - b)
  return [0, ...cuts].map((from, i) => Buffer.from(wire.subarray(from, cuts[i] ?? wire.length)))
}

/** What came out of a stream of chunks. */
export interface Outcome {
  readonly requests: Array<Array<Buffer>>
  readonly error: string | undefined
  /** Bytes of the request that is not whole. */
  readonly left: number
}

/** Parses chunks as a connection does: what is not whole waits in front of the next chunk. */
export const parseChunks = (
  chunks: Iterable<Buffer>,
  options: { readonly authenticated?: boolean; readonly maxBulkBytes?: number } = {}
): Outcome => {
  const argv = new Arguments()
  const parser = new RequestParser(argv, { maxBulkBytes: options.maxBulkBytes ?? 512 * 1024 * 1024 })
  const requests: Array<Array<Buffer>> = []
  let rest: Buffer = Buffer.alloc(0)
  for (const chunk of chunks) {
    // Somewhere else each time, so that nothing may depend on where the bytes stand.
    const at0 = rest.length % 7
    const buffer = Buffer.concat([Buffer.alloc(at0, 42), rest, chunk, Buffer.alloc(3, 13)])
    const end = buffer.length - 3
    let at = at0
    while (at < end) {
      const parsed = parser.parse(buffer, at, end, options.authenticated ?? true)
      if (parsed === Parsed.error) return { requests, error: parser.error, left: 0 }
      if (parsed === Parsed.more) break
      at = parser.position
      if (parsed === Parsed.request) {
        requests.push(Array.from({ length: argv.length }, (_, i) => Buffer.from(argv.at(i).toBytes())))
      }
    }
    rest = buffer.subarray(at, end)
  }
  return { requests, error: undefined, left: rest.length }
}
