import process from "node:process";

/** Tells a person what is being done: one line per stage, with its seconds when it ends. */
export interface Progress {
  /** Runs one stage; its line ends with the elapsed time, or with what failed. Stages may nest. */
  stage<T>(title: string, work: (progress: Progress) => Promise<T>): Promise<T>;
  /** Says something about the stage that is running: a note, or how far a long build has come. */
  note(text: string): void;
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Progress as lines on a stream (standard error by default, so that standard output stays a command's result). */
export function lineProgress(write: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Progress {
  const at = (depth: number): Progress => {
    const indent = "  ".repeat(depth);
    return {
      note: (text) => write(`${indent}${text}`),
      async stage(title, work) {
        const started = performance.now();
        // A stage of minutes must not look hung: say that it is still running, and for how long.
        const alive = setInterval(() => write(`${indent}… ${title} (${seconds(started)})`), 15_000);
        alive.unref();
        write(`${indent}→ ${title}`);
        try {
          const result = await work(at(depth + 1));
          write(`${indent}✓ ${title} (${seconds(started)})`);
          return result;
        } catch (error) {
          write(`${indent}✗ ${title} (${seconds(started)})`);
          throw error;
        } finally {
          clearInterval(alive);
        }
      },
    };
  };
  return at(0);
}
