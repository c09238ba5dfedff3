import type { ResourceRule } from "../rule.ts";
import { allowPrivilegeEscalation } from "./allowPrivilegeEscalation.ts";
import { appArmorProfile } from "./appArmorProfile.ts";
import { capabilitiesBaseline } from "./capabilities_baseline.ts";
import { capabilitiesRestricted } from "./capabilities_restricted.ts";
import { hostNamespaces } from "./hostNamespaces.ts";
import { hostPathVolumes } from "./hostPathVolumes.ts";
import { hostPorts } from "./hostPorts.ts";
import { hostProbesAndHostLifecycle } from "./hostProbesAndHostLifecycle.ts";
import { privileged } from "./privileged.ts";
import { procMount } from "./procMount.ts";
import { procMountRestricted } from "./procMount_restricted.ts";
import { restrictedVolumes } from "./restrictedVolumes.ts";
import { runAsNonRoot } from "./runAsNonRoot.ts";
import { runAsUser } from "./runAsUser.ts";
import { seccompProfileBaseline } from "./seccompProfile_baseline.ts";
import { seccompProfileRestricted } from "./seccompProfile_restricted.ts";
import { seLinuxOptions } from "./seLinuxOptions.ts";
import { sysctls } from "./sysctls.ts";
import { windowsHostProcess } from "./windowsHostProcess.ts";

/** The checks of Kubernetes' Pod Security Standard `baseline`. */
export const baseline: readonly ResourceRule[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  seccompProfileBaseline,
  seLinuxOptions,
  sysctls,
  windowsHostProcess,
];

/** The checks that `restricted` adds. */
const restricted: readonly ResourceRule[] = [
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfileRestricted,
];

/** All of Pod Security `restricted`, which is what every pod of golive keeps. */
export const podSecurity: readonly ResourceRule[] = [...baseline, ...restricted];
