/** Goes through all steps of a generator; what it returns. */
export const drain = <T>(steps: Generator<unknown, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
