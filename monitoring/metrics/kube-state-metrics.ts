import { metricsOf } from "./metric.ts";

const { counter, gauge } = metricsOf({
  exporter: "kube-state-metrics 2.17.0",
  job: "kube-state-metrics",
  // Scraped with honorLabels: namespace and pod are the object's, not the exporter's.
  targetLabels: ["job", "instance"],
  documentedOnly:
    "it is in no package registry: docs/metrics/{cluster,policy,storage,workload}/*.md of kubernetes/kube-state-metrics",
});

const pod = ["namespace", "pod", "uid"] as const;
const container = [...pod, "container"] as const;
const job = ["namespace", "job_name"] as const;
const cronJob = ["namespace", "cronjob"] as const;
const deployment = ["namespace", "deployment"] as const;
const statefulSet = ["namespace", "statefulset"] as const;
const daemonSet = ["namespace", "daemonset"] as const;
const autoscaler = ["namespace", "horizontalpodautoscaler"] as const;
const disruptionBudget = ["namespace", "poddisruptionbudget"] as const;

/** What the API server knows of objects, and the kubelet does not. */
export const kubeStateMetrics = {
  podPhase: gauge("kube_pod_status_phase", {
    unit: "0/1",
    help: "Whether a pod is in a phase.",
    labels: [...pod, "phase"],
  }),
  podReady: gauge("kube_pod_status_ready", {
    unit: "0/1",
    help: "Whether a pod is ready: condition is true, false or unknown.",
    labels: [...pod, "condition"],
  }),
  containerRestarts: counter("kube_pod_container_status_restarts_total", {
    unit: "1",
    help: "Restarts of a container.",
    labels: container,
  }),
  containerWaiting: gauge("kube_pod_container_status_waiting_reason", {
    unit: "0/1",
    help: "Whether a container waits for a reason, such as CrashLoopBackOff.",
    labels: [...container, "reason"],
  }),
  containerTerminated: gauge("kube_pod_container_status_last_terminated_reason", {
    unit: "0/1",
    help: "Why a container ended the last time, such as OOMKilled.",
    labels: [...container, "reason"],
  }),
  containerLimits: gauge("kube_pod_container_resource_limits", {
    unit: "1",
    help: "Limit of a container by resource, in its unit.",
    labels: [...container, "node", "resource", "unit"],
  }),
  containerRequests: gauge("kube_pod_container_resource_requests", {
    unit: "1",
    help: "Request of a container by resource, in its unit.",
    labels: [...container, "node", "resource", "unit"],
  }),
  deploymentReplicas: gauge("kube_deployment_spec_replicas", {
    unit: "1",
    help: "Pods that a Deployment should have.",
    labels: deployment,
  }),
  deploymentAvailable: gauge("kube_deployment_status_replicas_available", {
    unit: "1",
    help: "Pods of a Deployment that are available.",
    labels: deployment,
  }),
  deploymentUpdated: gauge("kube_deployment_status_replicas_updated", {
    unit: "1",
    help: "Pods of a Deployment that run its newest template.",
    labels: deployment,
  }),
  deploymentGeneration: gauge("kube_deployment_metadata_generation", {
    unit: "1",
    help: "Number of the version of a Deployment that is asked for.",
    labels: deployment,
  }),
  deploymentObservedGeneration: gauge("kube_deployment_status_observed_generation", {
    unit: "1",
    help: "Number of the version of a Deployment that its controller has seen.",
    labels: deployment,
  }),
  statefulSetReplicas: gauge("kube_statefulset_replicas", {
    unit: "1",
    help: "Pods that a StatefulSet should have.",
    labels: statefulSet,
  }),
  statefulSetReady: gauge("kube_statefulset_status_replicas_ready", {
    unit: "1",
    help: "Pods of a StatefulSet that are ready.",
    labels: statefulSet,
  }),
  statefulSetUpdated: gauge("kube_statefulset_status_replicas_updated", {
    unit: "1",
    help: "Pods of a StatefulSet that run its newest template.",
    labels: statefulSet,
  }),
  daemonSetDesired: gauge("kube_daemonset_status_desired_number_scheduled", {
    unit: "1",
    help: "Nodes that should run a pod of a DaemonSet.",
    labels: daemonSet,
  }),
  daemonSetReady: gauge("kube_daemonset_status_number_ready", {
    unit: "1",
    help: "Nodes that run a ready pod of a DaemonSet.",
    labels: daemonSet,
  }),
  jobFailed: gauge("kube_job_failed", {
    unit: "0/1",
    help: "Whether a Job has failed: condition is true, false or unknown.",
    labels: [...job, "condition"],
  }),
  jobComplete: gauge("kube_job_complete", {
    unit: "0/1",
    help: "Whether a Job is complete: condition is true, false or unknown.",
    labels: [...job, "condition"],
  }),
  jobActive: gauge("kube_job_status_active", { unit: "1", help: "Pods of a Job that run.", labels: job }),
  jobPodsFailed: gauge("kube_job_status_failed", {
    unit: "1",
    help: "Pods of a Job that failed.",
    labels: [...job, "reason"],
  }),
  jobStartedAt: gauge("kube_job_status_start_time", {
    unit: "timestamp",
    help: "When a Job was started.",
    labels: job,
  }),
  jobOwner: gauge("kube_job_owner", {
    unit: "1",
    help: "What a Job belongs to.",
    labels: [...job, "owner_kind", "owner_name", "owner_is_controller"],
  }),
  cronJobScheduledAt: gauge("kube_cronjob_status_last_schedule_time", {
    unit: "timestamp",
    help: "When a CronJob last started a Job.",
    labels: cronJob,
  }),
  cronJobSucceededAt: gauge("kube_cronjob_status_last_successful_time", {
    unit: "timestamp",
    help: "When a Job of a CronJob last succeeded.",
    labels: cronJob,
  }),
  cronJobNext: gauge("kube_cronjob_next_schedule_time", {
    unit: "timestamp",
    help: "When a CronJob is due next.",
    labels: cronJob,
  }),
  cronJobCreatedAt: gauge("kube_cronjob_created", {
    unit: "timestamp",
    help: "When a CronJob was created.",
    labels: cronJob,
  }),
  cronJobSuspended: gauge("kube_cronjob_spec_suspend", {
    unit: "0/1",
    help: "Whether a CronJob is suspended.",
    labels: cronJob,
  }),
  autoscalerMax: gauge("kube_horizontalpodautoscaler_spec_max_replicas", {
    unit: "1",
    help: "Most pods that an autoscaler asks for.",
    labels: autoscaler,
  }),
  autoscalerMin: gauge("kube_horizontalpodautoscaler_spec_min_replicas", {
    unit: "1",
    help: "Fewest pods that an autoscaler asks for.",
    labels: autoscaler,
  }),
  autoscalerDesired: gauge("kube_horizontalpodautoscaler_status_desired_replicas", {
    unit: "1",
    help: "Pods that an autoscaler asks for.",
    labels: autoscaler,
  }),
  autoscalerCurrent: gauge("kube_horizontalpodautoscaler_status_current_replicas", {
    unit: "1",
    help: "Pods that an autoscaler has found.",
    labels: autoscaler,
  }),
  autoscalerCondition: gauge("kube_horizontalpodautoscaler_status_condition", {
    unit: "0/1",
    help: "Whether a condition of an autoscaler has a status.",
    labels: [...autoscaler, "condition", "status"],
  }),
  disruptionBudgetHealthy: gauge("kube_poddisruptionbudget_status_current_healthy", {
    unit: "1",
    help: "Healthy pods of a disruption budget.",
    labels: disruptionBudget,
  }),
  disruptionBudgetDesired: gauge("kube_poddisruptionbudget_status_desired_healthy", {
    unit: "1",
    help: "Healthy pods that a disruption budget wants.",
    labels: disruptionBudget,
  }),
  claimPhase: gauge("kube_persistentvolumeclaim_status_phase", {
    unit: "0/1",
    help: "Whether a claim is in a phase.",
    labels: ["namespace", "persistentvolumeclaim", "phase"],
  }),
  nodeCondition: gauge("kube_node_status_condition", {
    unit: "0/1",
    help: "Whether a condition of a node has a status.",
    labels: ["node", "condition", "status"],
  }),
};
