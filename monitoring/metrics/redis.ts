import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "redis_exporter 1.45.0",
  job: "redis",
  targetLabels: ["job", "instance", "namespace", "pod"],
});

/** What redis_exporter reads with INFO and CONFIG GET. */
export const redis = {
  up: gauge("redis_up", { unit: "0/1", help: "Whether Redis answered the last scrape." }),
  uptime: gauge("redis_uptime_in_seconds", { unit: "seconds", help: "Time since Redis was started." }),
  startedAt: gauge("redis_start_time_seconds", { unit: "timestamp", help: "When Redis was started." }),
  memoryUsed: gauge("redis_memory_used_bytes", { unit: "bytes", help: "Memory that Redis has allocated." }),
  memoryResident: gauge("redis_memory_used_rss_bytes", { unit: "bytes", help: "Memory of Redis that is in RAM." }),
  memoryMax: gauge("redis_memory_max_bytes", { unit: "bytes", help: "Most memory it may use, 0 without a limit." }),
  clients: gauge("redis_connected_clients", { unit: "1", help: "Clients connected." }),
  blockedClients: gauge("redis_blocked_clients", { unit: "1", help: "Clients that wait in a blocking command." }),
  maxClients: gauge("redis_config_maxclients", { unit: "1", help: "Most clients that Redis takes." }),
  connections: counter("redis_connections_received_total", { unit: "1", help: "Connections taken." }),
  rejectedConnections: counter("redis_rejected_connections_total", {
    unit: "1",
    help: "Connections refused because there were too many.",
  }),
  commands: counter("redis_commands_processed_total", { unit: "1", help: "Commands processed." }),
  commandDuration: counter("redis_commands_duration_seconds_total", {
    unit: "seconds",
    help: "Time in commands by command.",
    labels: ["cmd"],
  }),
  evictedKeys: counter("redis_evicted_keys_total", { unit: "1", help: "Keys dropped because memory was full." }),
  expiredKeys: counter("redis_expired_keys_total", { unit: "1", help: "Keys dropped because their time was over." }),
  keyspaceHits: counter("redis_keyspace_hits_total", { unit: "1", help: "Reads that found their key." }),
  keyspaceMisses: counter("redis_keyspace_misses_total", { unit: "1", help: "Reads that did not find their key." }),
  keys: gauge("redis_db_keys", { unit: "1", help: "Keys in a database.", labels: ["db"] }),
  lastSave: gauge("redis_rdb_last_bgsave_status", { unit: "0/1", help: "Whether the last save to disk was good." }),
  lastAppend: gauge("redis_aof_last_write_status", {
    unit: "0/1",
    help: "Whether the last write to the append-only file was good.",
  }),
  slowLog: gauge("redis_slowlog_length", { unit: "1", help: "Commands in the slow log." }),
  replicas: gauge("redis_connected_slaves", { unit: "1", help: "Replicas connected." }),
};
