import type { Colour } from "../../applications/application.ts";

/** Name of a service's Deployment, Service and budget in one colour: `taskflow-backend-blue` (C19). */
export const workloadName = (application: string, service: string, colour: Colour) =>
  `${application}-${service}-${colour}`;

/** Name of a colour's ConfigMap and Secret. */
export const colourName = (application: string, colour: Colour) => `${application}-${colour}`;

/** What selects the pods of one service in one colour; never changes, since a Deployment's selector cannot (C20). */
export const selectorLabels = (application: string, service: string, colour: Colour) => ({
  app: application,
  component: service,
  version: colour,
});
