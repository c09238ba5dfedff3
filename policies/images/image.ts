import { at, textOf } from "../manifest.ts";
import { podsOf } from "../pod.ts";
import type { Subject } from "../rule.ts";
import { kindOf } from "../subject.ts";

export interface Image {
  readonly reference: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Where each custom resource that runs pods names its image, beside its containers. */
const fields: Readonly<Record<string, string>> = {
  Cluster: "imageName",
  Elasticsearch: "image",
  Kibana: "image",
  Logstash: "image",
  Beat: "image",
};

/** Every image that a subject makes a machine pull. */
export function imagesOf(subject: Subject): readonly { readonly path: string; readonly image: Image }[] {
  const field = fields[kindOf(subject) ?? ""];
  const own = field === undefined ? undefined : textOf(at(subject.object, "spec", field));
  return [
    ...(own === undefined ? [] : [{ path: `spec.${field}`, image: imageOf(own) }]),
    ...podsOf(subject).flatMap(({ spec, specPath, containers }) => [
      ...containers.flatMap(({ path, object: { image } }) =>
        // An operator fills in what is left out here.
        image === undefined ? [] : [{ path: `${path}.image`, image: imageOf(image) }],
      ),
      ...(spec.volumes ?? []).flatMap(({ name, image }) =>
        image?.reference === undefined
          ? []
          : [{ path: `${specPath}.volumes[${name}].image`, image: imageOf(image.reference) }],
      ),
    ]),
  ];
}

export function imageOf(reference: string): Image {
  const [name = "", digest] = reference.split("@");
  // The port of a registry is no tag.
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return { reference, tag, digest: digest !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined };
}
