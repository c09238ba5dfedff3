import { metricsOf } from "./metric.ts";

/** Set by relabelling from the pod's labels: a service cannot name another colour than it runs as. */
export const applicationTargetLabels = ["job", "instance", "namespace", "pod", "service", "colour", "version"] as const;

const { counter, gauge, histogram } = metricsOf({
  exporter: "taskflow sample (prom-client 15.1.3)",
  // `<application>-<service>`: a job for each service.
  job: undefined,
  targetLabels: applicationTargetLabels,
});

/** What an application's services measure about themselves. */
export const application = {
  requests: counter("http_requests_total", {
    unit: "1",
    help: "Requests answered, 499 when the client went away first.",
    labels: ["method", "route", "status"],
  }),
  requestDuration: histogram("http_request_duration_seconds", {
    unit: "seconds",
    help: "Time from a request's headers until its answer is written.",
    labels: ["method", "route", "status"],
  }),
  responseBytes: counter("http_response_size_bytes_total", {
    unit: "bytes",
    help: "Bytes of response bodies.",
    labels: ["method", "route"],
  }),
  tasksCreated: counter("tasks_created_total", { unit: "1", help: "Tasks created." }),
  usersRegistered: counter("users_registered_total", { unit: "1", help: "Users registered." }),
  logins: counter("logins_total", { unit: "1", help: "Logins by result.", labels: ["result"] }),
  cacheReads: counter("cache_reads_total", {
    unit: "1",
    help: "Reads of the cache by result: hit, miss or error.",
    labels: ["result"],
  }),
  transactionDuration: histogram("database_transaction_duration_seconds", {
    unit: "seconds",
    help: "Time of one transaction, from waiting for a connection until its commit.",
    labels: ["query"],
  }),
  cpu: counter("process_cpu_seconds_total", { unit: "seconds", help: "CPU time of the process, user and system." }),
  memory: gauge("process_resident_memory_bytes", { unit: "bytes", help: "Memory of the process that is in RAM." }),
  startedAt: gauge("process_start_time_seconds", { unit: "timestamp", help: "When the process was started." }),
  openFiles: gauge("process_open_fds", { unit: "1", help: "Open file descriptors." }),
  maxFiles: gauge("process_max_fds", { unit: "1", help: "Most file descriptors that the process may open." }),
  eventLoopLag: gauge("nodejs_eventloop_lag_p99_seconds", {
    unit: "seconds",
    help: "Delay of the event loop that 1 % of its turns exceed.",
  }),
  heapUsed: gauge("nodejs_heap_size_used_bytes", { unit: "bytes", help: "Heap that holds objects." }),
  heapTotal: gauge("nodejs_heap_size_total_bytes", { unit: "bytes", help: "Heap that was asked of the system." }),
  collectionDuration: histogram("nodejs_gc_duration_seconds", {
    unit: "seconds",
    help: "Time of one garbage collection.",
    labels: ["kind"],
  }),
};
