import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { places } from "../local/places.ts";
import { run } from "../local/run.ts";

/** The files of the checkout in a directory of their own, with what was installed and built here as links. */
export interface CheckoutCopy {
  /** Root of the copy. */
  readonly root: string;
  /** A directory beside the copy, for what is written about it. */
  readonly reports: string;
  remove(): Promise<void>;
}

/**
 * Copies what git knows of the checkout, and what it does not ignore: the working tree as it is now, changes and new files
 * included. `node_modules` and `.golive` are links to the checkout's, so that nothing is installed or built again.
 */
export async function copyCheckout(): Promise<CheckoutCopy> {
  const directory = await mkdtemp(join(tmpdir(), "golive-breaks-"));
  const root = join(directory, "checkout");
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await mkdir(join(directory, "reports"));
    for (const file of await checkoutFiles()) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await cp(join(places.root, file), join(root, file), { verbatimSymlinks: true }).catch(unlessAbsent);
    }
    await symlink(join(places.root, "node_modules"), join(root, "node_modules"));
    await symlink(places.golive, join(root, ".golive"));
  } catch (error) {
    await remove();
    throw error;
  }
  return { root, reports: join(directory, "reports"), remove };
}

async function checkoutFiles(): Promise<readonly string[]> {
  const args = ["-C", places.root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  return (await run("git", args)).split("\0").filter((name) => name !== "");
}

/** A file that was deleted and not yet committed is in git's list all the same. */
function unlessAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
