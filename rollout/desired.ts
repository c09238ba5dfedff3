import { type Colour, isHttp } from "../applications/application.ts";
import type { Settings } from "../settings.ts";
import type { Desired } from "./decision.ts";
import type { PlannedMigrations } from "./schema/migrations.ts";

/** What a stack's settings ask of `decide`; `releases` are the ids of the rendered releases. */
export function desiredOf(
  settings: Settings,
  releases: Readonly<Record<Colour, string | undefined>>,
  { pending }: Pick<PlannedMigrations, "pending">,
): Desired {
  const {
    candidate,
    candidateTraffic,
    ladder,
    colours,
    inPlace,
    override,
    retireAfterHours,
    environment,
    gate,
    monitoring,
  } = settings;
  const http = settings.application.services.filter(isHttp);
  return {
    candidate,
    candidateTraffic,
    ladder,
    paths: http.flatMap((service) => service.paths),
    releases,
    retired: { blue: colours.blue.retired, green: colours.green.retired },
    replicas: Object.fromEntries(http.map((service) => [service.name, service.replicas[environment]])),
    inPlace,
    override: override?.release === colours[candidate].release?.version ? override : undefined,
    soakSpeed: gate.mode === "off" ? undefined : monitoring.speed,
    retireAfterHours,
    migrations: { pending, contract: settings.contract },
  };
}
