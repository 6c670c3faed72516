/** Keeps what is noticed about commands as the configuration says. */
import type { Observer } from "../commands/observation/observer.ts"
import type { Configuration } from "../config/config.ts"

/** Configures an observer now and after every CONFIG SET. */
export const configureObserver = (observer: Observer, configuration: Configuration): void => {
  const read = (): void =>
    observer.configure({
      slowlogSlowerThan: configuration.get("slowlog-log-slower-than"),
      slowlogMaxLength: configuration.get("slowlog-max-len"),
      latencyThreshold: configuration.get("latency-monitor-threshold"),
      latencyTracking: configuration.get("latency-tracking"),
      latencyPercentiles: configuration.get("latency-tracking-info-percentiles")
    })
  read()
  configuration.onChange(read)
}
