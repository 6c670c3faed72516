/** INFO memory: by the accounts of the arenas, the process and the connections. */
import type { Control } from "../ports.ts"
import { bytesAndHuman, type Fields, fixed2, noughts, ratio } from "./info-format.ts"
import { memoryFigures, share } from "./memory-figures.ts"

export const memorySection = (control: Control): Fields => {
  const { d, server, tracking } = control
  const { active, clients, external, heapTotal, heapUsed, overhead, peak, resident, rss, startup, used } =
    memoryFigures(control)
  return [
    ...bytesAndHuman("used_memory", used),
    ...bytesAndHuman("used_memory_rss", rss),
    ...bytesAndHuman("used_memory_peak", peak),
    ["used_memory_peak_perc", `${fixed2(peak === 0 ? 0 : 100 * used / peak)}%`],
    ["used_memory_overhead", overhead],
    // The tables of empty databases: what the program itself takes is no part of used_memory.
    ["used_memory_startup", startup],
    ["used_memory_dataset", Math.max(0, used - overhead)],
    ["used_memory_dataset_perc", `${fixed2(100 * share(Math.max(0, used - overhead), used - startup))}%`],
    ["allocator_allocated", used],
    ["allocator_active", active],
    ["allocator_resident", resident],
    ...bytesAndHuman("total_system_memory", server.systemMemory),
    ["used_memory_lua", 0],
    ["used_memory_vm_eval", 0],
    ["used_memory_lua_human", "0B"],
    ["used_memory_scripts_eval", 0],
    ...noughts("number_of_cached_scripts", "number_of_functions", "number_of_libraries"),
    ["used_memory_vm_functions", 0],
    ...bytesAndHuman("used_memory_vm_total", 0),
    ["used_memory_functions", 0],
    ...bytesAndHuman("used_memory_scripts", 0),
    ...bytesAndHuman("maxmemory", d.memory.limit),
    ["maxmemory_policy", d.memory.policy],
    ["allocator_frag_ratio", ratio(active, used)],
    ["allocator_frag_bytes", active - used],
    ["allocator_rss_ratio", ratio(resident, active)],
    ["allocator_rss_bytes", resident - active],
    ["rss_overhead_ratio", ratio(rss, resident)],
    ["rss_overhead_bytes", rss - resident],
    ["mem_fragmentation_ratio", ratio(rss, used)],
    ["mem_fragmentation_bytes", rss - used],
    ["mem_not_counted_for_evict", tracking.usedBytes],
    ...noughts(
      "mem_replication_backlog",
      "mem_total_replication_buffers",
      "mem_clients_slaves"
    ),
    ["mem_clients_normal", clients],
    ...noughts("mem_cluster_links", "mem_aof_buffer"),
    ["mem_allocator", "annals-arena"],
    ...noughts("active_defrag_running", "lazyfree_pending_objects", "lazyfreed_objects"),
    ["heap_used", heapUsed],
    ["heap_total", heapTotal],
    ["external_memory", external]
  ]
}
