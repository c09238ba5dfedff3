import type { Settings } from "../../settings.ts";

/** Names of the Elastic Stack's parts; the operator puts its own suffixes behind them (`elasticsearch-es-http`). */
export const elasticsearchName = "elasticsearch";
export const kibanaName = "kibana";
export const logstashName = "logstash";
export const filebeatName = "filebeat";

/** Secret with the roles of Elasticsearch that golive defines. */
export const rolesName = "elasticsearch-roles";
/** Who keeps the index template and the deletion of old indices: Secret, user, container, ConfigMap's prefix. */
export const keeperName = "index-keeper";

/** Where Filebeat runs: it reads the machine's files, which `restricted` forbids for everything else. */
export const collectorsNamespace = ({ logging }: Settings) => `${logging.namespace}-nodes`;

/** What the operator calls its Services and Secrets. */
export const elasticsearchUrl = ({ logging }: Settings) =>
  `https://${elasticsearchName}-es-http.${logging.namespace}.svc:9200`;
export const elasticsearchAuthority = `${elasticsearchName}-es-http-certs-public`;
export const beatsPort = 5044;
export const beatsAddress = ({ logging }: Settings) => `${logstashName}-ls-beats.${logging.namespace}.svc:${beatsPort}`;
