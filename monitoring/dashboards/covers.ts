import { colours, isHttp } from "../../applications/application.ts";
import type { Cover } from "../alerts/alert.ts";
import type { MonitoredStack } from "../stack.ts";

/** The Deployments of the application's HTTP services, of both colours. */
export const httpWorkloads = ({ application }: MonitoredStack): readonly Cover[] =>
  application.services
    .filter(isHttp)
    .flatMap(({ name }) =>
      colours.map((colour): Cover => ({ kind: "Deployment", name: `${application.name}-${name}-${colour}` })),
    );
