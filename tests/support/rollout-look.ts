import type { Look } from "../../cli/rollout/stack.ts";
import { Clock } from "../../monitoring/clock.ts";
import type { Assessment } from "../../rollout/gate/assess.ts";
import { thresholdsOf } from "../../rollout/gate/thresholds.ts";
import { type Config, settingsWith } from "./config.ts";
import { usual } from "./decision.ts";
import { type LiveOptions, observed } from "./live.ts";
import { passes } from "./walk.ts";

/** A look at a usual stack: what is live as `observed` takes it, a gate that passes, and config with some keys changed. */
export function lookOf(live: LiveOptions, config: Config, assessed: Partial<Assessment> = {}): Look {
  const seen = observed(live);
  const { candidateTraffic = 0, candidate = "green" } = seen.route?.told ?? {};
  const settings = settingsWith({ candidate, candidateTraffic, ...config });
  const from = seen.route?.exposure[candidate] ?? 0;
  return {
    settings,
    desired: {
      ...usual,
      candidate,
      candidateTraffic: settings.candidateTraffic,
      retireAfterHours: settings.retireAfterHours,
      retired: { blue: settings.colours.blue.retired, green: settings.colours.green.retired },
    },
    assessment: {
      observed: seen,
      from,
      measured: undefined,
      unmeasured: "no Prometheus is known (golive:gate.prometheus)",
      verdict: passes,
      soakSeconds: 0,
      soakLeftSeconds: 0,
      share: { asked: from, measured: Number.NaN },
      thresholds: thresholdsOf(settings.application, new Clock(1)),
      ...assessed,
    },
    refused: undefined,
    held: [],
  };
}
