import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { digestOf } from "../database/migration-job.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer } from "../pod/security.ts";
import { elasticPod } from "./elasticsearch.ts";
import { elasticImage } from "./images.ts";
import { indexRequests } from "./indices.ts";
import {
  beatsPort,
  elasticsearchAuthority,
  elasticsearchName,
  elasticsearchUrl,
  keeperName,
  logstashName,
} from "./names.ts";
import { pipelineText } from "./pipeline.ts";

const paths = { program: "/golive/program", user: "/golive/user", authority: "/golive/authority" } as const;
/** `node` in the official image. */
const keeperUid = 1000;
const files = { program: "logging.mjs", requests: "requests.json" } as const;

/**
 * Reads the lines of both colours, and writes them into the index of their day. Its first container is the index keeper: no
 * line is written before Elasticsearch knows how long to keep it, and each start repairs what somebody changed.
 */
export function logstashManifest(settings: Settings, program: string): CustomManifest {
  const { logging } = settings;
  return {
    apiVersion: "logstash.k8s.elastic.co/v1alpha1",
    kind: "Logstash",
    metadata: { name: logstashName, namespace: logging.namespace, labels: labelsOf(settings, logstashName) },
    spec: {
      ...elasticImage(settings, "logstash"),
      count: 1,
      elasticsearchRefs: [{ clusterName: "eck", name: elasticsearchName }],
      pipelines: [
        {
          "pipeline.id": "main",
          "pipeline.ecs_compatibility": "v8",
          // What Filebeat was told is safe outlives a restart.
          "queue.type": "persisted",
          "queue.max_bytes": "1gb",
          "config.string": pipelineText(settings),
        },
      ],
      services: [
        {
          name: "beats",
          service: {
            spec: {
              type: "ClusterIP",
              ports: [{ name: "beats", port: beatsPort, protocol: "TCP", targetPort: beatsPort }],
            },
          },
        },
      ],
      volumeClaimTemplates: [
        {
          metadata: { name: "logstash-data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            ...(logging.storageClass === undefined ? {} : { storageClassName: logging.storageClass }),
            resources: { requests: { storage: "2Gi" } },
          },
        },
      ],
      podTemplate: logstashPod(settings, program),
    },
  };
}

export function logstashPod(settings: Settings, program: string): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: labelsOf(settings, logstashName) },
    spec: {
      ...elasticPod(),
      initContainers: [keeper(settings)],
      containers: [
        {
          name: "logstash",
          // Its entrypoint writes its configuration beside its program.
          securityContext: { ...restrictedContainer().securityContext, readOnlyRootFilesystem: false },
          resources: { requests: { cpu: "250m", memory: "1536Mi" }, limits: { memory: "2Gi" } },
        },
      ],
      volumes: [
        { name: "program", configMap: { name: program } },
        { name: "user", secret: { secretName: keeperName, defaultMode: 0o440 } },
        { name: "authority", secret: { secretName: elasticsearchAuthority } },
      ],
    },
  };
}

function keeper(settings: Settings): types.input.core.v1.Container {
  return {
    name: keeperName,
    image: mirrored(settings.programs.image, settings.imageMirrors),
    // The Node image's own user is root.
    securityContext: { ...restrictedContainer().securityContext, runAsUser: keeperUid, runAsGroup: keeperUid },
    command: ["node", `${paths.program}/${files.program}`],
    env: [
      { name: "ELASTICSEARCH_URL", value: elasticsearchUrl(settings) },
      { name: "ELASTICSEARCH_CA", value: `${paths.authority}/ca.crt` },
      { name: "ELASTICSEARCH_USER", value: paths.user },
      { name: "REQUESTS", value: `${paths.program}/${files.requests}` },
    ],
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    volumeMounts: [
      { name: "program", mountPath: paths.program, readOnly: true },
      { name: "user", mountPath: paths.user, readOnly: true },
      { name: "authority", mountPath: paths.authority, readOnly: true },
    ],
  };
}

/** The keeper's program and requests, under a name that changes with them: another number of days starts Logstash anew. */
export function keeperConfigMap(settings: Settings, bundle: string) {
  const data = {
    [files.program]: bundle,
    [files.requests]: JSON.stringify(indexRequests(settings), undefined, 2),
  };
  const name = `${keeperName}-${digestOf(data)}`;
  const { namespace } = settings.logging;
  return { metadata: { name, namespace, labels: labelsOf(settings, logstashName) }, data, immutable: true };
}
