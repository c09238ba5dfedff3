import type { V1Container, V1PodSpec, V1SecurityContext } from "@kubernetes/client-node";

/** What a pod's security context says for all its containers, until one says otherwise. */
type Inherited =
  | "appArmorProfile"
  | "runAsGroup"
  | "runAsNonRoot"
  | "runAsUser"
  | "seLinuxOptions"
  | "seccompProfile"
  | "windowsOptions";

/** A setting, and where it stands: at the container, at the pod, or nowhere, and then where the container would have to say it. */
export interface Setting<T> {
  readonly value: T | undefined;
  readonly path: string;
}

/**
 * The security context that a container runs with: the container's own fields, and the pod's for those that it inherits and does not
 * set (a container's profile or options replace the pod's whole; only Windows options are overlaid field by field). Each field is read
 * when it is asked for.
 */
export class EffectiveSecurity {
  readonly #pod: { readonly spec: V1PodSpec; readonly specPath: string };
  readonly #container: { readonly object: V1Container; readonly path: string };

  constructor(
    pod: { readonly spec: V1PodSpec; readonly specPath: string },
    container: { readonly object: V1Container; readonly path: string },
  ) {
    this.#pod = pod;
    this.#container = container;
  }

  get allowPrivilegeEscalation(): Setting<boolean> {
    return this.#own("allowPrivilegeEscalation");
  }

  get appArmorProfile(): Setting<NonNullable<V1SecurityContext["appArmorProfile"]>> {
    return this.#inherited("appArmorProfile");
  }

  get capabilities(): Setting<NonNullable<V1SecurityContext["capabilities"]>> {
    return this.#own("capabilities");
  }

  get privileged(): Setting<boolean> {
    return this.#own("privileged");
  }

  get procMount(): Setting<string> {
    return this.#own("procMount");
  }

  get readOnlyRootFilesystem(): Setting<boolean> {
    return this.#own("readOnlyRootFilesystem");
  }

  get runAsGroup(): Setting<number> {
    return this.#inherited("runAsGroup");
  }

  get runAsNonRoot(): Setting<boolean> {
    return this.#inherited("runAsNonRoot");
  }

  get runAsUser(): Setting<number> {
    return this.#inherited("runAsUser");
  }

  get seLinuxOptions(): Setting<NonNullable<V1SecurityContext["seLinuxOptions"]>> {
    return this.#inherited("seLinuxOptions");
  }

  get seccompProfile(): Setting<NonNullable<V1SecurityContext["seccompProfile"]>> {
    return this.#inherited("seccompProfile");
  }

  get windowsOptions(): Setting<NonNullable<V1SecurityContext["windowsOptions"]>> {
    const { value: own, path } = this.#own("windowsOptions");
    const { value: shared, path: sharedPath } = this.#inherited("windowsOptions");
    if (own === undefined) return { value: shared, path: sharedPath };
    return { value: { ...this.#pod.spec.securityContext?.windowsOptions, ...own }, path };
  }

  #own<K extends keyof V1SecurityContext>(key: K): Setting<NonNullable<V1SecurityContext[K]>> {
    const { object, path } = this.#container;
    return { value: object.securityContext?.[key] ?? undefined, path: `${path}.securityContext.${key}` };
  }

  #inherited<K extends Inherited>(key: K): Setting<NonNullable<V1SecurityContext[K]>> {
    const own = this.#own(key);
    if (own.value !== undefined) return own;
    const { spec, specPath } = this.#pod;
    const shared = spec.securityContext?.[key] ?? undefined;
    return shared === undefined
      ? own
      : { value: shared as NonNullable<V1SecurityContext[K]>, path: `${specPath}.securityContext.${key}` };
  }
}
