/**
 * An order (ranked.ts) of blocks by a score and, where scores are equal, by the id of a stream's entry, in four words of
 * each block. A score may be made of the id itself: then equal ones are rare, and a search reads few blocks.
 */
import { type Arena, type Pointer, slabOf, wordOf } from "./arena.ts"
import { Ranked } from "./ranked.ts"
import type { StreamId } from "./stream-id.ts"

const floats = new Float64Array(1)
const floatWords = new Uint32Array(floats.buffer)

/** The first milliseconds whose score would have the bits of an infinity or of no number. */
const msLimit = 0x7ff0_0000 * 0x2_0000
const sequenceLimit = 0x7fff

/**
 * A score that is not greater than that of a greater id, and mostly less: the bits are 46 of the milliseconds and 15 of
 * the sequence number, as far as those suffice. It is compared by its bits; as a number it means nothing.
 */
export const scoreOfId = ({ msHigh, msLow, seqHigh, seqLow }: StreamId): number => {
  if (msHigh * 0x1_0000_0000 + msLow >= msLimit) {
    floatWords[0] = 0xffff_ffff
    floatWords[1] = 0x7fef_ffff
  } else {
    const sequence = seqHigh !== 0 || seqLow > sequenceLimit ? sequenceLimit : seqLow
    floatWords[0] = (msLow & 0x1_ffff) << 15 | sequence
    floatWords[1] = msHigh << 15 | msLow >>> 17
  }
  return floats[0]!
}

/** See the head of this file. */
export class RankedIds extends Ranked {
  private readonly scoreWord: number
  private readonly idWord: number
  private readonly wanted = new Uint32Array(4)

  /**
   * @param scoreWord the first word of a block's score
   * @param idWord the first word of its id
   */
  constructor(arena: Arena, scoreWord: number, idWord: number) {
    super(arena, 0)
    this.scoreWord = scoreWord
    this.idWord = idWord
  }

  protected override setKeyOf(p: Pointer): void {
    const words = this.arena.words[slabOf(p)]!
    const at = wordOf(p)
    const id = at + this.idWord
    const { wanted } = this
    this.own = p
    for (let i = 0; i < 4; i++) wanted[i] = words[id + i]!
    this.setScoreWords(words[at + this.scoreWord + 1]!, words[at + this.scoreWord]!)
  }

  private setKeyId(id: StreamId): void {
    const { wanted } = this
    this.own = 0
    wanted[0] = id.msHigh
    wanted[1] = id.msLow
    wanted[2] = id.seqHigh
    wanted[3] = id.seqLow
    this.setScore(scoreOfId(id))
  }

  protected override tiedBelow(element: Pointer, orEqual: boolean): boolean {
    if (element === this.own) return orEqual
    const words = this.arena.words[slabOf(element)]!
    const at = wordOf(element) + this.idWord
    const { wanted } = this
    for (let i = 0; i < 4; i++) {
      const word = words[at + i]!
      if (word !== wanted[i]!) return word < wanted[i]!
    }
    return orEqual
  }

  /** The last block whose id is not greater than this one, of an order by scores of ids; 0 when there is none. */
  floor(id: StreamId): Pointer {
    this.setKeyId(id)
    return this.floorOfKey()
  }

  /** Points the cursor at the block that `floor` finds; returns it. */
  seekFloor(id: StreamId): Pointer {
    this.setKeyId(id)
    return this.seekFloorOfKey()
  }
}
