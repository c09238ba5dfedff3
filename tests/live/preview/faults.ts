import * as pulumi from "@pulumi/pulumi";

/** Ten faults in what the program declares, each on a resource of its own, as somebody in a hurry could write them. */

interface Container {
  image: string;
  env?: { name: string; value: string }[];
  resources?: unknown;
  securityContext: Record<string, unknown>;
}

/** The inputs as the program has them: of what is changed here nothing is known only later. */
interface Inputs {
  spec: {
    type: string;
    ingress: unknown[];
    rules: { backendRefs: { weight?: number }[] }[];
    template: { spec: { containers: [Container] } };
  };
  rules: { verbs: string[]; resources: string[] }[];
}

const container = ({ spec }: Inputs) => spec.template.spec.containers[0];

const planted: Readonly<Record<string, (inputs: Inputs) => void>> = {
  "kubernetes:apps/v1:Deployment taskflow-frontend-green": (inputs) => {
    container(inputs).securityContext.privileged = true;
  },
  "kubernetes:apps/v1:Deployment taskflow-backend-blue": (inputs) => {
    container(inputs).env = [{ name: "DATABASE_PASSWORD", value: "planted-in-clear" }];
  },
  "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute taskflow": ({ spec }) => {
    delete spec.rules[0]?.backendRefs[1]?.weight;
  },
  "kubernetes:apps/v1:Deployment taskflow-backend-green": (inputs) => {
    container(inputs).image = "registry.example.com/taskflow-backend:latest";
  },
  "kubernetes:apps/v1:Deployment blackbox-exporter": (inputs) => {
    delete container(inputs).resources;
  },
  "kubernetes:rbac.authorization.k8s.io/v1:Role guard": ({ rules }) => {
    for (const rule of rules) rule.verbs = ["*"];
  },
  "kubernetes:core/v1:Service taskflow-frontend-blue": ({ spec }) => {
    spec.type = "NodePort";
  },
  "kubernetes:networking.k8s.io/v1:NetworkPolicy postgres": ({ spec }) => {
    spec.ingress = [{}];
  },
};

pulumi.runtime.registerResourceTransform(({ type, name, props, opts }) => {
  const plant = planted[`${type} ${name}`];
  plant?.(props as Inputs);
  const isDatabase = type === "kubernetes:postgresql.cnpg.io/v1:Cluster";
  if (plant === undefined && !isDatabase) return undefined;
  return { props, opts: isDatabase ? { ...opts, protect: false } : opts };
});

// A chart is a component to the engine, and what it brings is for nobody to judge.
new pulumi.ComponentResource("kubernetes:helm.sh/v3:Release", "somebody-elses-chart");
