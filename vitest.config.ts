import { defineConfig } from "vitest/config"

/** Process tests share two cores: files run two at a time, and a slow machine gets time before a test is called hung. */
export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 60_000, maxWorkers: 2, pool: "forks" }
})
