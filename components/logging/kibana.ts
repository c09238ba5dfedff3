import type { types } from "@pulumi/kubernetes";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { labelsOf } from "../pod/labels.ts";
import { restrictedContainer } from "../pod/security.ts";
import { elasticPod } from "./elasticsearch.ts";
import { elasticImage } from "./images.ts";
import { elasticsearchName, kibanaName } from "./names.ts";

/** Where people read the lines (S1-64). Only the inside reaches it. */
export function kibanaManifest(settings: Settings): CustomManifest {
  return {
    apiVersion: "kibana.k8s.elastic.co/v1",
    kind: "Kibana",
    metadata: { name: kibanaName, namespace: settings.logging.namespace, labels: labelsOf(settings, kibanaName) },
    spec: {
      ...elasticImage(settings, "kibana"),
      count: 1,
      elasticsearchRef: { name: elasticsearchName },
      podTemplate: kibanaPod(settings),
    },
  };
}

export function kibanaPod(settings: Settings): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: labelsOf(settings, kibanaName) },
    spec: {
      ...elasticPod(),
      containers: [
        {
          name: "kibana",
          ...restrictedContainer(),
          resources: { requests: { cpu: "100m", memory: "1Gi" }, limits: { memory: "1Gi" } },
        },
      ],
    },
  };
}
