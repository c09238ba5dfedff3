/** An object of a type that an operator brings, as far as golive writes it. */
export interface CustomManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}
