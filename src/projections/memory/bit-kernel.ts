/**
 * Loops over bits, 128 at a time, which JavaScript has no words for: a WebAssembly module of a few hundred bytes, put
 * together here instruction by instruction. It works on a memory of its own, one chunk at a time, into which callers copy
 * what is to be worked on; copying also does away with the odd addresses of values in the arena.
 *
 * ```
 * 0             accumulator   counted, or combined with the operand in place
 * chunkBytes    operand
 * 2·chunkBytes  repeated      for `one`: bits that were met in more than one operand
 * ```
 */

/** Bytes that are worked on at once. All three areas fit into the cache of a core, and few chunks make few views. */
export const chunkBytes = 64 * 1024
/** Bytes that one turn of a loop takes: a count of bytes given to a loop must be a multiple of this. */
export const stepBytes = 64

const accumulatorAt = 0
export const operandAt = chunkBytes
export const repeatedAt = 2 * chunkBytes

type Code = ReadonlyArray<number>

const unsigned = (value: number): Code => value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
/** A number of at least 0, with room for the sign. */
const signed = (value: number): Code => value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)]
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes]
const list = (items: ReadonlyArray<Code>): Code => [...unsigned(items.length), ...items.flat()]
const section = (id: number, content: Code): Code => [id, ...sized(content)]
const name = (text: string): Code => sized([...Buffer.from(text, "latin1")])

// Types, and instructions under their names in the text format of WebAssembly.
const i32 = 0x7f
const v128 = 0x7b
const end: Code = [0x0b]
const localGet = (index: number): Code => [0x20, index]
const localSet = (index: number): Code => [0x21, index]
const localTee = (index: number): Code => [0x22, index]
const constant = (value: number): Code => [0x41, ...signed(value)]
const add: Code = [0x6a]
const lessUnsigned: Code = [0x49]
const loop: Code = [0x03, 0x40]
const repeatIf: Code = [0x0d, 0]
const vector = (number: number): Code => [0xfd, ...unsigned(number)]
const load = (at: number): Code => [...vector(0x00), 0, ...unsigned(at)]
const store = (at: number): Code => [...vector(0x0b), 0, ...unsigned(at)]
const laneOf32 = (lane: number): Code => [...vector(0x1b), lane]
const not = vector(0x4d)
const and = vector(0x4e)
const andNot = vector(0x4f)
const or = vector(0x50)
const xor = vector(0x51)
const onesOfBytes = vector(0x62)
const addBytes = vector(0x6e)
const pairsOfBytes = vector(0x7d)
const pairsOf16 = vector(0x7f)
const add32 = vector(0xae)

/** Local variables: the first is the parameter, the bytes to work on; then the place that a loop has come to. */
const length = localGet(0)
const place = localGet(1)
const lanes = [0, 16, 32, 48]

/** A function's code: its variables beyond parameter and place, then what every turn does, then what follows. */
const walking = (variables: ReadonlyArray<Code>, turn: Code, after: Code): Code =>
  sized([
    ...list([[1, i32], ...variables]),
    ...loop,
    ...turn,
    ...place,
    ...constant(stepBytes),
    ...add,
    ...localTee(1),
    ...length,
    ...lessUnsigned,
    ...repeatIf,
    ...end,
    ...after,
    ...end
  ])

const sums = 2
/** Sums of bits: of bytes over the four vectors of a turn (at most 32 each), then into four sums of 32 bits. */
const count = walking(
  [[1, v128]],
  [
    ...lanes.flatMap((at) => [...place, ...load(accumulatorAt + at), ...onesOfBytes, ...(at === 0 ? [] : addBytes)]),
    ...pairsOfBytes,
    ...pairsOf16,
    ...localGet(sums),
    ...add32,
    ...localSet(sums)
  ],
  [0, 1, 2, 3].flatMap((lane) => [...localGet(sums), ...laneOf32(lane), ...(lane === 0 ? [] : add)])
)

/** accumulator = accumulator `operation` operand (or the area given) */
const combining = (operation: Code, other = operandAt): Code =>
  walking(
    [],
    lanes.flatMap((at) => [
      ...place,
      ...place,
      ...load(accumulatorAt + at),
      ...place,
      ...load(other + at),
      ...operation,
      ...store(accumulatorAt + at)
    ]),
    []
  )

const inverting = walking(
  [],
  lanes.flatMap((at) => [...place, ...place, ...load(accumulatorAt + at), ...not, ...store(accumulatorAt + at)]),
  []
)

/** repeated = repeated or (accumulator and operand); accumulator = accumulator or operand */
const meeting = walking(
  [],
  lanes.flatMap((at) => [
    ...place,
    ...place,
    ...load(repeatedAt + at),
    ...place,
    ...load(accumulatorAt + at),
    ...place,
    ...load(operandAt + at),
    ...and,
    ...or,
    ...store(repeatedAt + at),
    ...place,
    ...place,
    ...load(accumulatorAt + at),
    ...place,
    ...load(operandAt + at),
    ...or,
    ...store(accumulatorAt + at)
  ]),
  []
)

const counting = 0
const changing = 1
const functions: ReadonlyArray<readonly [name: string, type: number, code: Code]> = [
  ["count", counting, count],
  ["and", changing, combining(and)],
  ["or", changing, combining(or)],
  ["xor", changing, combining(xor)],
  ["without", changing, combining(andNot)],
  ["not", changing, inverting],
  ["meet", changing, meeting],
  ["withoutRepeated", changing, combining(andNot, repeatedAt)]
]

const header: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const binary = new Uint8Array([
  ...header,
  ...section(1, list([[0x60, 1, i32, 1, i32], [0x60, 1, i32, 0]])),
  ...section(3, list(functions.map(([, type]) => [type]))),
  ...section(5, list([[0, 3]])), // pages of 64 KiB
  ...section(
    7,
    list([[...name("memory"), 2, 0], ...functions.map(([title], index) => [...name(title), 0, index])])
  ),
  ...section(10, list(functions.map(([, , code]) => code)))
])

/** The loops. Each takes how many bytes from the beginning of the areas it works on: `stepBytes` or a multiple. */
export interface BitLoops {
  /** The ones in the accumulator. */
  readonly count: (length: number) => number
  readonly and: (length: number) => void
  readonly or: (length: number) => void
  readonly xor: (length: number) => void
  /** Clears in the accumulator what is set in the operand. */
  readonly without: (length: number) => void
  /** Inverts the accumulator. */
  readonly not: (length: number) => void
  /** Adds the operand to the accumulator, and what both had to `repeated`. */
  readonly meet: (length: number) => void
  /** Clears in the accumulator what is set in `repeated`. */
  readonly withoutRepeated: (length: number) => void
}

/** As much of WebAssembly as is used here: the types of Node have none of it. */
declare const WebAssembly: {
  readonly Module: new(binary: Uint8Array) => object
  readonly Instance: new(
    module: object
  ) => { readonly exports: BitLoops & { readonly memory: { buffer: ArrayBuffer } } }
}

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary))

export const loops: BitLoops = exports
/** The areas that the loops work on. */
export const areas = new Uint8Array(exports.memory.buffer)
export const accumulator = areas.subarray(accumulatorAt, accumulatorAt + chunkBytes)
