import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";

const repositories = {
  elasticsearch: "docker.elastic.co/elasticsearch/elasticsearch",
  kibana: "docker.elastic.co/kibana/kibana",
  logstash: "docker.elastic.co/logstash/logstash",
  filebeat: "docker.elastic.co/beats/filebeat",
} as const;

/** Version and image of one part of the Elastic Stack; the operator's own default knows no mirrors. */
export function elasticImage({ logging: { version }, imageMirrors }: Settings, part: keyof typeof repositories) {
  return { version, image: mirrored(`${repositories[part]}:${version}`, imageMirrors) };
}
