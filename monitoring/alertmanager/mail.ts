/**
 * What a mail says. Alertmanager's own template has every label and no link to a runbook. The value that was measured stands
 * in the description, which Prometheus wrote.
 */
export const mailSubject =
  '{{ if eq .Status "resolved" }}[RESOLVED]{{ else }}[{{ .CommonLabels.severity | toUpper }}]{{ end }} {{ .CommonLabels.alertname }}' +
  "{{ with .CommonLabels.namespace }} in {{ . }}{{ end }}" +
  "{{ with .CommonLabels.service }}, {{ . }}{{ end }}{{ with .CommonLabels.colour }} {{ . }}{{ end }}";

/** A line `name: value` where the alert has one, else nothing. */
const line = (name: string, value: string) => `{{ with ${value} }}${name}: {{ . }}\n{{ end }}`;

/** @param grafanaHostname Undefined: people reach Grafana by a port-forward only, which no mail can link. */
export const mailText = (grafanaHostname: string | undefined): string =>
  [
    "{{ range .Alerts }}{{ .Labels.alertname }} ({{ .Labels.severity }}, {{ .Status }}): {{ .Annotations.summary }}\n",
    "{{ .Annotations.description }}\n\n",
    line("Namespace", ".Labels.namespace"),
    line("Service", ".Labels.service"),
    line("Colour", ".Labels.colour"),
    line("Version", ".Labels.version"),
    'Since: {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}\n',
    line("Runbook", ".Annotations.runbook_url"),
    line("Query", ".GeneratorURL"),
    "\n{{ end }}",
    grafanaHostname === undefined ? "" : `Dashboards: https://${grafanaHostname}/dashboards\n`,
    "Silence: {{ .ExternalURL }}\n",
  ].join("");
