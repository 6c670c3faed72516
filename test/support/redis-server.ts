/** Real servers to compare with, when the machine has them. */
import { spawnSync } from "node:child_process"
import { isInstalled, type ServerProcess, startOnFreePort, type StartOptions } from "./processes.ts"

const redisLike = (program: string) => async (options: StartOptions = {}): Promise<ServerProcess | undefined> =>
  isInstalled(program)
    ? startOnFreePort(
      program,
      (port, dir) =>
        `${program} --port ${port} --bind 127.0.0.1 --daemonize no --appendonly no`.split(" ")
          .concat("--save", "", "--dir", dir),
      options
    )
    : undefined

/**
 * Starts a redis-server of our own on a free loopback port, with neither snapshots nor log unless `args` ask for them;
 * undefined when the program is not installed.
 */
export const startRedis = redisLike("redis-server")

/** As `startRedis`, for valkey-server. */
export const startValkey = redisLike("valkey-server")

/** The version a program prints, "7.0.15"; undefined when it is not installed. */
export const serverVersion = (program: "redis-server" | "valkey-server"): string | undefined =>
  isInstalled(program)
    ? /v=(\S+)/.exec(spawnSync(program, ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1]
    : undefined
