/** When waits end by themselves, or their commands run again: a heap by time. What is over leaves it when it comes to the top. */
import type { Waiter } from "./waiters.ts"

interface Deadline {
  readonly at: number
  readonly waiter: Waiter
}

/** Whether the time still means something to the waiter. */
const isLive = ({ at, waiter }: Deadline): boolean => !waiter.over && (waiter.until === at || waiter.again === at)

/** The deadlines of all waits. */
export class Deadlines {
  private readonly heap: Array<Deadline> = []

  /** Notes a time, monotonic ms; Infinity is none. */
  add(at: number, waiter: Waiter): void {
    if (at !== Infinity) this.push({ at, waiter })
  }

  /** Takes the waiter whose time came first; undefined when none has come at `now`. */
  due(now: number): Waiter | undefined {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      const live = isLive(first)
      if (live && first.at > now) return undefined
      this.pop()
      if (live) return first.waiter
    }
    return undefined
  }

  /** What is over must not outweigh what waits: most waits end long before their time. */
  prune(waiting: number): void {
    if (this.heap.length <= 64 || this.heap.length <= 4 * waiting) return
    const live = this.heap.filter(isLive)
    this.heap.length = 0
    for (const deadline of live) this.push(deadline)
  }

  private push(deadline: Deadline): void {
    const { heap } = this
    let at = heap.length
    heap.push(deadline)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (heap[parent]!.at <= deadline.at) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = deadline
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= last.at) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
