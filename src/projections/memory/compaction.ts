/**
 * Memory under changing sizes does not stay dense: a run holds blocks of one class, and one live block keeps it; a slab
 * holds runs, and one run keeps it. So where too much of the runs is free, blocks are moved out of sparse runs into
 * fuller ones of their class; and where too many pages are free, the runs of the last slabs are emptied, whose blocks
 * then go to lower ones. Emptied runs become pages for whatever class wants them, slabs without runs are given back.
 */
import { type Arena, blocksPerRun, classCount, pageBytes, pagesPerSlab, type Pointer } from "./arena.ts"

/** Less free memory than this is not worth moving anything for. */
const leastWaste = 4 << 20
/** Free memory inside runs, as a share of what is used, from which on a pass over the runs begins. */
const wasteShare = 0.15
/** Free pages, as a share of those in use, from which on a pass over the slabs begins. */
const pageShare = 0.25
/** Runs fuller than this stay. */
const fullEnough = 0.9

/** Goes through an arena's runs or slabs, again and again as long as that helps. */
export class Compactor {
  private readonly arena: Arena
  private readonly move: (p: Pointer) => void
  /** Pages below this one have not been looked at in the running pass; 0: no pass is running. */
  private page = 0
  private bySlab = false
  /** Pages free in the slabs below the one at hand. */
  private room = 0
  private readonly live = new Float64Array(classCount)
  private readonly runs = new Float64Array(classCount)
  private readonly average = new Float64Array(classCount)
  /** What the running pass has to show: runs emptied, or fewer bytes reserved than these. */
  private emptied = 0
  private reservedBefore = 0
  /** What the last passes could not get at, in runs and in pages. */
  private residue = 0
  private pageResidue = 0

  /** @param move moves a block, if it can, as `Arena.evacuate` wants it */
  constructor(arena: Arena, move: (p: Pointer) => void) {
    this.arena = arena
    this.move = move
  }

  /** Empties at most one run. False when nothing is worth it. */
  step(): boolean {
    if (this.page === 0 && !this.begin()) return false
    const { arena } = this
    while (this.page > 0) {
      const run = --this.page
      if (this.bySlab && run % pagesPerSlab === pagesPerSlab - 1 && !this.slabMayEmpty(run)) {
        this.page -= pagesPerSlab - 1
        continue
      }
      const c = arena.runClassAt(run)
      if (c === 0 || !(this.bySlab || this.isSparse(run, c))) continue
      arena.evacuate(run, this.move)
      if (arena.runClassAt(run) === 0) this.emptied++
      return true
    }
    // While a pass helps, another may follow at once; what one without any success leaves cannot be had.
    if (this.bySlab) this.pageResidue = arena.reservedBytes < this.reservedBefore ? 0 : this.freePages
    else this.residue = this.emptied > 0 ? 0 : this.waste
    return true
  }

  /** Free bytes inside runs. */
  private get waste(): number {
    return this.arena.activeBytes - this.arena.usedBytes
  }

  /** Bytes of free pages. */
  private get freePages(): number {
    return this.arena.reservedBytes - this.arena.activeBytes
  }

  /** Begins a pass, from the last page down. */
  private begin(): boolean {
    const { arena } = this
    const { freePages, waste } = this
    this.residue = Math.min(this.residue, waste)
    this.pageResidue = Math.min(this.pageResidue, freePages)
    if (waste >= Math.max(leastWaste, wasteShare * arena.usedBytes, 1.2 * this.residue)) this.beginRuns()
    else if (freePages >= Math.max(2 * leastWaste, pageShare * arena.activeBytes, 1.2 * this.pageResidue)) {
      this.bySlab = true
      this.room = freePages / pageBytes
    } else return false
    this.page = arena.pageCount
    this.emptied = 0
    this.reservedBefore = arena.reservedBytes
    return true
  }

  private beginRuns(): void {
    const { arena } = this
    this.bySlab = false
    this.live.fill(0)
    this.runs.fill(0)
    for (let run = arena.pageCount - 1; run >= 0; run--) {
      const c = arena.runClassAt(run)
      if (c === 0) continue
      this.runs[c] = this.runs[c]! + 1
      this.live[c] = this.live[c]! + arena.liveBlocks(run)
    }
    for (let c = 1; c < classCount; c++) this.average[c] = this.runs[c] === 0 ? 0 : this.live[c]! / this.runs[c]!
  }

  /** Whether a run should be emptied: only where the other runs of the class have room, else a new one would come. */
  private isSparse(run: number, c: number): boolean {
    const live = this.arena.liveBlocks(run)
    const blocks = blocksPerRun(c)
    if (live > this.average[c]! || live > fullEnough * blocks || this.live[c]! > (this.runs[c]! - 1) * blocks) {
      return false
    }
    this.runs[c] = this.runs[c]! - 1
    return true
  }

  /** Whether the slab that ends with this page is not full, and lower ones have room for what it holds. */
  private slabMayEmpty(lastPage: number): boolean {
    const used = this.arena.pagesInUse(Math.floor(lastPage / pagesPerSlab))
    if (used === 0) return false
    const free = pagesPerSlab - used
    this.room -= free
    if (free === 0 || this.room < used) return false
    this.room -= used
    return true
  }
}
