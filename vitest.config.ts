import { defineConfig } from "vitest/config"

/**
 * Two cores are enough: files run three at a time, for much of what they do is waiting, and a slow machine gets time
 * before a test is called hung.
 */
export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 60_000, maxWorkers: 3, pool: "forks" }
})
