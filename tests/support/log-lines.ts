/** Lines as programs really write them, and what the log pipeline is to make of each. */
export interface LogLine {
  readonly name: string;
  readonly line: string;
  readonly becomes:
    | { readonly kind: "json" }
    /** Read by S1-67's form: these fields. */
    | { readonly kind: "fields"; readonly fields: Readonly<Record<string, string>> }
    /** Text of a service that fits no form: it goes into an index of its own. */
    | { readonly kind: "unparsed" };
}

const json = { kind: "json" } as const;
const unparsed = { kind: "unparsed" } as const;
const text = (timestamp: string, level: string, logger: string, message: string) =>
  ({ kind: "fields", fields: { timestamp, level, logger, message } }) as const;

export const logLines: readonly LogLine[] = [
  {
    name: "the sample's JSON",
    line: '{"level":"info","time":"2026-11-21T16:51:33.902Z","service":"frontend","colour":"blue","version":"1.0.0","pod":"taskflow-frontend-blue-1","port":3000,"message":"listening"}',
    becomes: json,
  },
  {
    name: "JSON with an error in it",
    line: '{"level":"warn","time":"2026-11-21T16:51:33.902Z","service":"backend","route":"/api/tasks","status":503,"error":"Error: connect ECONNREFUSED 10.96.0.5:5432","code":"ECONNREFUSED","message":"request failed"}',
    becomes: json,
  },
  {
    name: "CloudNativePG's JSON",
    line: '{"level":"info","ts":"2026-11-21T16:00:01.123456789Z","logger":"postgres","msg":"record","record":{"log_time":"2026-11-21 16:00:01.122 UTC","error_severity":"LOG","message":"checkpoint starting: time"}}',
    becomes: json,
  },
  {
    name: "S1-67's form",
    line: "2026-11-21T12:00:00.123Z ERROR api - cannot reach the cache",
    becomes: text("2026-11-21T12:00:00.123Z", "ERROR", "api", "cannot reach the cache"),
  },
  {
    name: "S1-67's form with a blank and a comma in its time",
    line: "2026-11-21 12:00:00,123 WARN taskflow.tasks - slow - 1204 ms",
    becomes: text("2026-11-21 12:00:00,123", "WARN", "taskflow.tasks", "slow - 1204 ms"),
  },
  {
    name: "S1-67's form with an offset and a level in small letters",
    line: "2026-11-21T12:00:00+01:00 info api - ready",
    becomes: text("2026-11-21T12:00:00+01:00", "info", "api", "ready"),
  },
  {
    name: "S1-67's form with an empty message",
    line: "2026-11-21T12:00:00Z DEBUG api - ",
    // What is empty becomes no field: the whole line stays the message.
    becomes: { kind: "fields", fields: { timestamp: "2026-11-21T12:00:00Z", level: "DEBUG", logger: "api" } },
  },
  {
    name: "a stack trace, joined to the line that it belongs to",
    line: "2026-11-21T12:00:00.123Z ERROR api - unhandled\nTypeError: x is undefined\n    at handle (/app/backend.mjs:12:5)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    becomes: text(
      "2026-11-21T12:00:00.123Z",
      "ERROR",
      "api",
      "unhandled\nTypeError: x is undefined\n    at handle (/app/backend.mjs:12:5)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    ),
  },
  {
    name: "a stack trace of Node without a time",
    line: "TypeError: x is undefined\n    at handle (/app/backend.mjs:12:5)\n\nNode.js v24.11.1",
    becomes: unparsed,
  },
  {
    name: "S1-67's form behind something else",
    line: "note: 2026-11-21T12:00:00.123Z ERROR api - not at the start",
    becomes: unparsed,
  },
  {
    name: "S1-67's form in the second line",
    line: "first\n2026-11-21T12:00:00.123Z ERROR api - not at the start",
    becomes: unparsed,
  },
  {
    name: "a sentence with a dash where the logger should be",
    line: "2026-11-21T12:00:00.123Z INFO connected to redis - all is well",
    becomes: unparsed,
  },
  {
    name: "PostgreSQL",
    line: "2026-11-21 16:00:00.123 UTC [1] LOG:  database system is ready to accept connections",
    becomes: unparsed,
  },
  {
    name: "PostgreSQL with the user and the database",
    line: "2026-11-21 16:00:00.123 UTC [4711] taskflow_app_a@taskflow ERROR:  deadlock detected",
    becomes: unparsed,
  },
  {
    name: "Redis",
    line: "1:M 21 Nov 2026 16:00:00.123 * Ready to accept connections tcp",
    becomes: unparsed,
  },
  {
    name: "nginx access",
    line: '10.0.0.1 - - [21/Nov/2026:16:00:00 +0000] "GET /api/tasks HTTP/1.1" 200 512 "-" "curl/8.5.0"',
    becomes: unparsed,
  },
  {
    name: "nginx error",
    line: "2026/11/21 16:00:00 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream",
    becomes: unparsed,
  },
  {
    name: "klog",
    line: "E1121 16:46:26.439733   11361 memcache.go:265] couldn't get current server API group list",
    becomes: unparsed,
  },
  {
    name: "a line of Node's own",
    line: "(node:1) Warning: Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' is insecure",
    becomes: unparsed,
  },
  { name: "half a line of JSON", line: '{"level":"info","time":"2026-11-21T16:51:', becomes: unparsed },
  { name: "JSON that is no object", line: '["a", "list"]', becomes: unparsed },
  { name: "nothing but blanks", line: "   ", becomes: unparsed },
  { name: "letters of another script", line: "файл не найден - 見つかりません", becomes: unparsed },
  { name: "bytes that are no text", line: "\u0000\u0001\u0002�� -  - ", becomes: unparsed },
];

/** Lines that belong to the one before, and lines that do not. */
export const continuations = {
  continued: [
    "    at handle (/app/backend.mjs:12:5)",
    "\tat com.example.Main.run(Main.java:7)",
    "Caused by: java.net.ConnectException: refused",
    "  [cause]: Error: connect ECONNREFUSED",
  ],
  own: [
    "2026-11-21T12:00:00.123Z ERROR api - unhandled",
    '{"level":"info","message":"listening"}',
    "TypeError: x is undefined",
    "1:M 21 Nov 2026 16:00:00.123 * Ready to accept connections tcp",
  ],
} as const;
