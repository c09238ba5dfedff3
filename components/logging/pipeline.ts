import { isHttp } from "../../applications/application.ts";
import type { Settings } from "../../settings.ts";
import { beatsPort } from "./names.ts";

/**
 * A text line of the application (S1-67): `2026-11-21T12:00:00.000Z ERROR api - what happened`. Against the source document's
 * form it is anchored at both ends of the text (`^` and `$` are those of a line in Logstash, and a stack trace has many), a
 * logger has no blank (else any sentence with a dash would match), and the message goes on over line ends.
 */
export const textLinePattern = String.raw`\A%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} %{NOTSPACE:logger} - (?<message>[\s\S]*)\z`;

/** Pod and container from the path of a log, as the kubelet writes it: nobody has to ask the API server. */
export const containerPathPattern = String.raw`\A/var/log/containers/(?<pod>[^/_]+)_(?<namespace>[^/_]+)_(?<container>[^/_]+)-[0-9a-f]{64}\.log\z`;

/** Daily indices (S1-66): one for what was understood, one for text lines that no pattern fits. */
export const indexNames = (application: string) => ({
  daily: `${application}-%{+yyyy.MM.dd}`,
  unparsed: `${application}-unparsed-%{+yyyy.MM.dd}`,
  /** What both match, and nothing else. */
  pattern: `${application}-*`,
});

/**
 * Logstash's pipeline. JSON lines come parsed, in the field `app`; text lines of the application's own services must fit
 * S1-67's form, or they end in an index of their own; what PostgreSQL, Redis and the like write stays as it is.
 */
export function pipelineText({ application }: Settings): string {
  const services = application.services.filter(isHttp).map(({ name }) => name);
  const { daily, unparsed } = indexNames(application.name);
  return `input {
  beats {
    port => ${beatsPort}
    enrich => "none"
  }
}
filter {
  grok {
    match => { "[log][file][path]" => "${containerPathPattern}" }
    tag_on_failure => ["_pathparsefailure"]
  }
  if [container] =~ /\\A(${services.join("|")})\\z/ {
    mutate { add_field => { "type" => "api" } }
  }
  if [app] {
    mutate {
      copy => {
        "[app][level]" => "level"
        "[app][logger]" => "logger"
        "[app][message]" => "message"
        "[app][msg]" => "message"
      }
    }
    date { match => ["[app][time]", "ISO8601"] }
    date { match => ["[app][ts]", "ISO8601"] }
  } else if [type] == "api" {
    grok {
      match => { "message" => "${textLinePattern}" }
      overwrite => ["message"]
      timeout_millis => 1000
      tag_on_timeout => "_grokparsefailure"
    }
    date {
      match => ["timestamp", "ISO8601"]
      timezone => "UTC"
      remove_field => ["timestamp"]
    }
  }
  mutate {
    lowercase => ["level"]
    remove_field => ["[event][original]"]
  }
}
output {
  if "_grokparsefailure" in [tags] {
${elasticsearchOutput(unparsed)}
  } else {
${elasticsearchOutput(daily)}
  }
}
`;
}

/**
 * The template and the deletion of old indices are the index keeper's: Logstash only adds lines. Without `data_stream => false`
 * it would write to a data stream, whatever the index.
 */
const elasticsearchOutput = (index: string) => `    elasticsearch {
      hosts => ["\${ECK_ES_HOSTS}"]
      user => "\${ECK_ES_USER}"
      password => "\${ECK_ES_PASSWORD}"
      ssl_enabled => true
      ssl_certificate_authorities => ["\${ECK_ES_SSL_CERTIFICATE_AUTHORITY}"]
      action => "create"
      index => "${index}"
      data_stream => false
      ilm_enabled => false
      manage_template => false
    }`;
