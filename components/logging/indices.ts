import type { Settings } from "../../settings.ts";
import { indexNames } from "./pipeline.ts";

/**
 * What Elasticsearch is told about the indices of an application: path and body of each request, in order. No CRD of the
 * operator takes them without an enterprise licence.
 */
export function indexRequests({ application: { name }, logging }: Settings): Readonly<Record<string, object>> {
  return {
    [`_ilm/policy/${name}`]: {
      policy: {
        phases: {
          hot: { actions: {} },
          // Counted from the first line of an index; its last one is a day younger, and is kept as long (S1-32).
          delete: { min_age: `${logging.retentionDays + 1}d`, actions: { delete: {} } },
        },
      },
    },
    [`_index_template/${name}`]: {
      index_patterns: [indexNames(name).pattern],
      // Above Elastic's own templates (100).
      priority: 500,
      template: {
        settings: {
          "index.lifecycle.name": name,
          "index.number_of_shards": 1,
          "index.number_of_replicas": logging.nodes > 1 ? 1 : 0,
        },
        mappings: {
          // A field that nobody foresaw is stored, and never refuses a line for being a number here and a text there.
          dynamic: false,
          properties: {
            "@timestamp": { type: "date" },
            message: { type: "text" },
            ...Object.fromEntries(
              ["level", "logger", "type", "pod", "namespace", "container", "tags"].map((field) => [
                field,
                { type: "keyword", ignore_above: 1024 },
              ]),
            ),
            // What a JSON line said: each field can be searched for, whatever its type is today.
            app: { type: "flattened", ignore_above: 8191 },
          },
        },
      },
    },
  };
}
