import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";
import type { CustomManifest } from "../cluster/custom-manifest.ts";
import { namespaceLabels } from "../namespace/namespace.ts";
import { labelsOf } from "../pod/labels.ts";
import { elasticsearchManifest, keeperRole, rolesSecret } from "./elasticsearch.ts";
import { filebeatManifest } from "./filebeat.ts";
import { kibanaManifest } from "./kibana.ts";
import { keeperConfigMap, logstashManifest } from "./logstash.ts";
import { collectorsNamespace, keeperName, logstashName, rolesName } from "./names.ts";

export interface LoggingArgs {
  readonly settings: Settings;
  /** The bundled program of the index keeper. */
  readonly bundle: string;
}

/**
 * Where the lines of the stack's pods go (S1-64..67): Filebeat, Logstash, Elasticsearch and Kibana, run by the operator ECK
 * that the cluster has. Nothing of a run waits for them: users are served without.
 */
export class Logging extends pulumi.ComponentResource {
  readonly namespaces: readonly pulumi.Resource[];

  constructor({ settings, bundle }: LoggingArgs, opts: pulumi.ComponentResourceOptions) {
    super("golive:logging:Logging", `${settings.application.name}-logging`, {}, opts);
    const { protect } = defaults[settings.environment];
    const keeping = { protect, retainOnDelete: protect };
    const namespace = declareNamespace(this, loggingNamespace(settings), keeping);
    const within = { parent: this, dependsOn: [namespace] };

    const program = keeperConfigMap(settings, bundle);
    const access = [
      new kubernetes.core.v1.Secret(rolesName, rolesSecret(settings), within),
      declareKeeper(this, settings, within),
      new kubernetes.core.v1.ConfigMap(program.metadata.name, program, within),
    ];
    const elasticsearch = declare(elasticsearchManifest(settings), {
      ...keeping,
      parent: this,
      dependsOn: access,
    });
    const after = { parent: this, dependsOn: [...access, elasticsearch] };
    declare(kibanaManifest(settings), after);
    const logstash = declare(logstashManifest(settings, program.metadata.name), after);

    const collectors = declareNamespace(this, collectorsNamespaceManifest(settings), {});
    declare(filebeatManifest(settings), { parent: this, dependsOn: [collectors, logstash] });
    this.namespaces = [namespace, collectors];
    this.registerOutputs({});
  }
}

/** The namespace of Elasticsearch, Kibana and Logstash. */
export function loggingNamespace({ application, logging }: Settings) {
  return { metadata: { name: logging.namespace, labels: namespaceLabels(application.name) } };
}

/** The namespace of Filebeat, which reads the machine's files. */
export function collectorsNamespaceManifest(settings: Settings) {
  const labels = {
    ...namespaceLabels(settings.application.name),
    "pod-security.kubernetes.io/enforce": "privileged",
    "pod-security.kubernetes.io/warn": "privileged",
  };
  return { metadata: { name: collectorsNamespace(settings), labels } };
}

function declareNamespace(
  parent: Logging,
  manifest: ReturnType<typeof loggingNamespace>,
  opts: pulumi.CustomResourceOptions,
) {
  return new kubernetes.core.v1.Namespace(manifest.metadata.name, manifest, { ...opts, parent });
}

/** A user of Elasticsearch with a password of its own. */
function declareKeeper(parent: Logging, settings: Settings, opts: pulumi.CustomResourceOptions) {
  const password = new random.RandomPassword(`${keeperName}-password`, { length: 32, special: false }, { parent });
  return new kubernetes.core.v1.Secret(
    keeperName,
    {
      metadata: {
        name: keeperName,
        namespace: settings.logging.namespace,
        labels: labelsOf(settings, logstashName),
      },
      stringData: { username: keeperName, password: password.result, roles: keeperRole },
    },
    opts,
  );
}

function declare({ apiVersion, kind, metadata, spec }: CustomManifest, opts: pulumi.CustomResourceOptions) {
  return new kubernetes.apiextensions.CustomResource(metadata.name, { apiVersion, kind, metadata, spec }, opts);
}
