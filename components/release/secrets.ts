import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { SecretSource } from "../../applications/application.ts";
import { defaults } from "../../settings/environments.ts";
import type { Settings } from "../../settings.ts";

/** Connection URLs of the stores an application asked for. */
export interface StoreUrls {
  readonly postgresql?: pulumi.Output<string>;
  readonly redis?: pulumi.Output<string>;
}

/** Resolves the secret environment of an application, once for both colours: a session survives a change of colour. */
export function secretValues(
  parent: pulumi.Resource,
  settings: Settings,
  urls: StoreUrls,
): Readonly<Record<string, pulumi.Output<string>>> {
  const { protect } = defaults[settings.environment];
  const resolve = (variable: string, source: SecretSource): pulumi.Output<string> => {
    switch (source.from) {
      case "postgresql":
      case "redis": {
        const url = urls[source.from];
        if (url) return url;
        throw new pulumi.RunError(
          `${variable} needs ${source.from}, which ${settings.application.name} does not declare`,
        );
      }
      case "generated":
        return new random.RandomPassword(
          variable.toLowerCase().replaceAll("_", "-"),
          { length: source.length, special: false },
          { parent, protect },
        ).result;
      case "config":
        // Absent means that the feature behind it is off: an empty variable, as the services read it.
        return pulumi.secret(settings.secrets[source.key] ?? "");
    }
  };
  return Object.fromEntries(
    Object.entries(settings.application.environment.secret).map(([variable, source]) => [
      variable,
      resolve(variable, source),
    ]),
  );
}
