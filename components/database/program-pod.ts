import type { types } from "@pulumi/kubernetes";
import { mirrored } from "../../settings/images.ts";
import type { Settings } from "../../settings.ts";
import { scratch } from "../pod/scratch.ts";
import { restrictedContainer, restrictedPod } from "../pod/security.ts";
import { authorityVolume } from "./address.ts";
import { backupKeyName, backupVolumeName, databaseNames } from "./names.ts";
import { paths } from "./program-settings.ts";

type Container = types.input.core.v1.Container;
type Volume = types.input.core.v1.Volume;

/** `postgres` in the official image's root: PostgreSQL's own programs ask for its name. */
const uid = 999;
const settingsFile = "settings.json";
export const programFile = "database.mjs";

/** One run of a database program, and what of the stack's secrets it gets to see. */
export interface Program {
  /** Name of its container. */
  readonly name: string;
  /** What it is to do, and with what: `["backup"]`. */
  readonly args: readonly string[];
  /** Logins whose passwords it needs. */
  readonly logins: readonly string[];
  /** Whether it reads or writes backups: it gets the volume and the key. */
  readonly backups: boolean;
  /** Ports, probes and the like, beside what every program has. */
  readonly more?: Partial<Container>;
}

export interface ProgramPod {
  readonly settings: Settings;
  /** ConfigMaps with the bundle and the migrations. */
  readonly programs: string;
  readonly migrations: string;
  /** Run one after the other, each after the success of the one before; the last is what the pod is for. */
  readonly run: readonly [...Program[], Program];
  readonly restartPolicy: "Never" | "Always";
  /** Whether a whole database may come to stand in its work directory. Default: no. */
  readonly restores?: boolean;
}

/**
 * A pod in which database programs run: Node comes from the official image through a shared directory, PostgreSQL's own
 * programs are in the image that they run in. So nobody builds an image for them.
 */
export function programPod(pod: ProgramPod): types.input.core.v1.PodSpec {
  const containers = pod.run.map((program) => programContainer(pod, program));
  return {
    ...restrictedPod(uid),
    restartPolicy: pod.restartPolicy,
    initContainers: [runtimeContainer(pod.settings), ...containers.slice(0, -1)],
    containers: containers.slice(-1),
    volumes: volumesOf(pod),
  };
}

function runtimeContainer({ programs, imageMirrors }: Settings): Container {
  return {
    name: "runtime",
    image: mirrored(programs.image, imageMirrors),
    ...restrictedContainer(),
    command: ["cp", "/usr/local/bin/node", `${paths.runtime}/node`],
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "256Mi" } },
    volumeMounts: [{ name: "runtime", mountPath: paths.runtime }],
  };
}

function programContainer({ settings }: ProgramPod, { name, args, logins, backups, more }: Program): Container {
  return {
    name,
    image: mirrored(settings.programs.postgresImage, settings.imageMirrors),
    ...restrictedContainer(),
    command: [`${paths.runtime}/node`, `${paths.programs}/${programFile}`],
    args: [...args],
    // The program's result, or its problem; the end of its log when it ended before it could say one.
    terminationMessagePolicy: "FallbackToLogsOnError",
    resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "1Gi" } },
    volumeMounts: [
      { name: "runtime", mountPath: paths.runtime, readOnly: true },
      { name: "programs", mountPath: paths.programs, readOnly: true },
      { name: "settings", mountPath: paths.settings, subPath: settingsFile, readOnly: true },
      { name: "migrations", mountPath: paths.migrations, readOnly: true },
      ...authorityVolume(settings).volumeMounts,
      // One file each: a program sees no password that it does not need.
      ...logins.map((login) => ({
        name: "passwords",
        mountPath: `${paths.passwords}/${login}`,
        subPath: login,
        readOnly: true,
      })),
      ...(backups
        ? [
            { name: "backup-key", mountPath: paths.key, readOnly: true },
            { name: "backups", mountPath: paths.backups },
          ]
        : []),
      { name: "work", mountPath: paths.work },
      { name: "tmp", mountPath: "/tmp" },
    ],
    ...more,
  };
}

/** A scratch server without rows and what it logs. The same for every stack: a Job's pods cannot change. */
const emptyServer = "2Gi";

/** How large an external database is nobody here knows: where that is restored there is no limit. */
function workVolume({ settings: { database }, restores = false }: ProgramPod): Volume {
  if (!restores) return scratch("work", emptyServer);
  return "storage" in database ? scratch("work", database.storage) : { name: "work", emptyDir: {} };
}

function volumesOf(pod: ProgramPod): Volume[] {
  const { settings, programs, migrations, run } = pod;
  const names = databaseNames(settings.application.name);
  const logins = [...new Set(run.flatMap((program) => program.logins))];
  return [
    scratch("runtime", "256Mi"),
    { name: "programs", configMap: { name: programs } },
    { name: "settings", configMap: { name: names.settings } },
    { name: "migrations", configMap: { name: migrations } },
    ...authorityVolume(settings).volumes,
    ...(logins.length > 0
      ? [
          {
            name: "passwords",
            secret: {
              secretName: names.passwords,
              defaultMode: 0o440,
              items: logins.map((key) => ({ key, path: key })),
            },
          },
        ]
      : []),
    ...(run.some(({ backups }) => backups)
      ? [
          { name: "backup-key", secret: { secretName: backupKeyName, defaultMode: 0o440 } },
          { name: "backups", persistentVolumeClaim: { claimName: backupVolumeName } },
        ]
      : []),
    workVolume(pod),
    scratch("tmp", "64Mi"),
  ];
}
