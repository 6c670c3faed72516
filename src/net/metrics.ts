/**
 * The HTTP endpoint for operators, on a port of its own: `/metrics` for Prometheus, `/livez` (the event loop turns) and
 * `/readyz` (writes are taken). It knows no secrets and takes no orders, but listens on the loopback interface unless
 * metrics-bind says otherwise, and not at all unless metrics-port is set.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createServer } from "node:http"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { ListenFailed } from "./listener.ts"
import { type LoopLag, metricsReport, type MetricsSource } from "./metrics-report.ts"

/** Connections at a time: scrapers are few. */
const mostConnections = 32
/** How often the event loop's delay is measured, ms. */
const lagResolutionMs = 20

const contentType = "text/plain; version=0.0.4; charset=utf-8"
const plain = "text/plain; charset=utf-8"

/** What the endpoint needs of the server. */
export interface MetricsOptions {
  readonly port: number
  readonly addresses: ReadonlyArray<string>
  readonly source: Omit<MetricsSource, "loopLag">
  /** Why the server is not ready, or undefined. */
  readonly notReady: () => string | undefined
}

const answer = (url: string, report: () => string, notReady: () => string | undefined) => {
  const path = url.split("?", 1)[0]
  if (path === "/metrics") return HttpServerResponse.text(report(), { contentType })
  if (path === "/livez") return HttpServerResponse.text("ok\n", { contentType: plain })
  if (path === "/readyz") {
    const reason = notReady()
    return reason === undefined
      ? HttpServerResponse.text("ok\n", { contentType: plain })
      : HttpServerResponse.text(`${reason}\n`, { contentType: plain, status: 503 })
  }
  return HttpServerResponse.text("not found: there are /metrics, /livez and /readyz\n", {
    contentType: plain,
    status: 404
  })
}

/** Measures the event loop's delay for as long as the scope lives; each reading begins a new measurement. */
const loopLagMeter = Effect.acquireRelease(
  Effect.sync(() => {
    const delay = monitorEventLoopDelay({ resolution: lagResolutionMs })
    delay.enable()
    return delay
  }),
  (delay) => Effect.sync(() => void delay.disable())
).pipe(Effect.map((delay) => (): LoopLag => {
  // What is measured is the time between two timers; what is above their interval is the delay. Nothing is measured
  // right after the last reading.
  const late = (nanos: number): number => Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - lagResolutionMs / 1e3) : 0
  const lag = {
    mean: late(delay.mean),
    p50: late(delay.percentile(50)),
    p99: late(delay.percentile(99)),
    max: delay.count === 0 ? 0 : late(delay.max)
  }
  delay.reset()
  return lag
}))

/** Serves until the scope closes; fails with `ListenFailed`. */
export const serveMetrics = ({ addresses, notReady, port, source }: MetricsOptions) =>
  Effect.gen(function*() {
    const loopLag = yield* loopLagMeter
    const app = Effect.map(HttpServerRequest.HttpServerRequest, ({ method, url }) =>
      method === "GET" || method === "HEAD"
        ? answer(url, () => metricsReport({ ...source, loopLag }), notReady)
        : HttpServerResponse.text("only GET is answered\n", { contentType: plain, status: 405 }))
    for (const host of addresses) {
      const server = yield* NodeHttpServer.make(() => {
        const http = createServer()
        http.maxConnections = mostConnections
        return http
      }, { port, host, gracefulShutdownTimeout: "1 second" }).pipe(
        Effect.mapError((error) => new ListenFailed({ where: `${host}:${port} (metrics)`, cause: error.cause }))
      )
      yield* server.serve(app)
    }
  })
