/** INFO's sections about the process, its clients and its place among other servers. */
import type { Control } from "../ports.ts"
import type { Fields } from "./info-format.ts"

export const serverSection = ({ config, d, server }: Control): Fields => {
  const micros = Math.floor(server.nowMicros())
  const uptime = Math.max(0, Math.floor((micros / 1000 - server.startedAt) / 1000))
  const hz = config.get("hz") || "10"
  return [
    ["redis_version", server.redisVersion],
    ["redis_git_sha1", "00000000"],
    ["redis_git_dirty", 0],
    ["redis_build_id", "0"],
    ["redis_mode", "standalone"],
    ["os", server.os],
    ["arch_bits", 64],
    ["monotonic_clock", "POSIX clock_gettime"],
    ["multiplexing_api", "epoll"],
    ["atomicvar_api", "none"],
    ["gcc_version", "0.0.0"],
    ["process_id", server.pid],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", server.tcpPort],
    ["server_time_usec", micros],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / 86_400)],
    ["hz", hz],
    ["configured_hz", hz],
    ["lru_clock", Math.floor(d.now / 1000) & 0xff_ffff],
    ["executable", server.executable],
    ["config_file", server.configFile],
    ["io_threads_active", 0],
    ["annals_version", server.version],
    ["runtime", server.runtime],
    ["databases", config.get("databases")]
  ]
}

export const clientsSection = ({ clients, config, observer, server, tracking }: Control): Fields => {
  let input = 0
  let output = 0
  let subscribed = 0
  for (const connection of clients.all()) {
    input = Math.max(input, connection.memory().query)
    output = Math.max(output, connection.outputBytes)
    if (connection.client.subscribed) subscribed++
  }
  return [
    ["connected_clients", clients.count - server.replication.status().replicas.length],
    ["cluster_connections", 0],
    ["maxclients", config.get("maxclients")],
    ["client_recent_max_input_buffer", input],
    ["client_recent_max_output_buffer", output],
    ["blocked_clients", clients.blockedCount],
    ["tracking_clients", tracking.trackingClients],
    ["clients_in_timeout_table", 0],
    ["pubsub_clients", subscribed],
    ["monitor_clients", observer.monitors]
  ]
}

export const cpuSection = ({ server }: Control): Fields => {
  const { system, user } = server.cpu()
  return [
    ["used_cpu_sys", system.toFixed(6)],
    ["used_cpu_user", user.toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
    // Nearly all work is done by one thread; the others' share is in these figures too.
    ["used_cpu_sys_main_thread", system.toFixed(6)],
    ["used_cpu_user_main_thread", user.toFixed(6)]
  ]
}

export const modulesSection = (): Fields => []
export const clusterSection = (): Fields => [["cluster_enabled", 0]]
