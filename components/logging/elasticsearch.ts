import type { types } from "@pulumi/kubernetes";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer } from "../pod/security.ts";
import { elasticImage } from "./images.ts";
import { elasticsearchName, keeperName, logstashName, rolesName } from "./names.ts";
import { indexNames } from "./pipeline.ts";

/** The group of the files in the volumes, as the operator sets it where nobody says otherwise. */
const filesGroup = 1000;

/** The pod-level half of Pod Security `restricted`; the user is the image's own, whose number is in the image. */
export function elasticPod(): Pick<types.input.core.v1.PodSpec, "automountServiceAccountToken" | "securityContext"> {
  return {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, fsGroup: filesGroup, seccompProfile: { type: "RuntimeDefault" } },
  };
}

/** Where the lines are kept; S1-66's `elasticsearch:9200` is its Service `elasticsearch-es-http`. */
export function elasticsearchManifest(settings: Settings): CustomManifest {
  const { logging, environment } = settings;
  const { protect } = defaults[environment];
  return {
    apiVersion: "elasticsearch.k8s.elastic.co/v1",
    kind: "Elasticsearch",
    metadata: {
      name: elasticsearchName,
      namespace: logging.namespace,
      labels: labelsOf(settings, elasticsearchName),
    },
    spec: {
      ...elasticImage(settings, "elasticsearch"),
      auth: { roles: [{ secretName: rolesName }], fileRealm: [{ secretName: keeperName }] },
      // Whoever deletes the Elasticsearch by mistake keeps its volumes.
      volumeClaimDeletePolicy: protect ? "DeleteOnScaledownOnly" : "DeleteOnScaledownAndClusterDeletion",
      nodeSets: [
        {
          name: "default",
          count: logging.nodes,
          // Without it every machine would need a larger vm.max_map_count.
          config: { "node.store.allow_mmap": false },
          podTemplate: elasticsearchPod(settings),
          volumeClaimTemplates: [
            {
              metadata: { name: "elasticsearch-data" },
              spec: {
                accessModes: ["ReadWriteOnce"],
                ...(logging.storageClass === undefined ? {} : { storageClassName: logging.storageClass }),
                resources: { requests: { storage: logging.storage } },
              },
            },
          ],
        },
      ],
    },
  };
}

export function elasticsearchPod(settings: Settings): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: labelsOf(settings, elasticsearchName) },
    spec: {
      ...elasticPod(),
      containers: [
        {
          name: "elasticsearch",
          ...restrictedContainer(),
          resources: { requests: { cpu: "250m", memory: "2Gi" }, limits: { memory: "2Gi" } },
        },
      ],
    },
  };
}

/**
 * Roles of Elasticsearch. Logstash may add lines to the application's indices and change none: the role that the operator
 * gives it may write to `logstash-*` only, and everything there. The keeper may say how indices are made and deleted, and
 * read no line.
 */
export function elasticsearchRoles({ application }: Settings): Readonly<Record<string, object>> {
  return {
    eck_logstash_user_role: {
      cluster: ["monitor"],
      indices: [{ names: [indexNames(application.name).pattern], privileges: ["auto_configure", "create_doc"] }],
    },
    [keeperRole]: { cluster: ["manage_ilm", "manage_index_templates"] },
  };
}

export const keeperRole = "golive_index_keeper";

/** The Secret with the roles. Roles are written as JSON, which is YAML, too. */
export function rolesSecret(settings: Settings): types.input.core.v1.Secret {
  return {
    metadata: {
      name: rolesName,
      namespace: settings.logging.namespace,
      labels: labelsOf(settings, logstashName),
    },
    stringData: { "roles.yml": JSON.stringify(elasticsearchRoles(settings), undefined, 2) },
  };
}
