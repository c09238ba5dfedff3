/** Works again and again, so many milliseconds after the end of the time before, until it is told to stop. */
export async function repeat(work: () => Promise<void>, pause: number, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await sleep(pause, stopped);
    if (!stopped.aborted) await work();
  }
}

/** Rests, or ends at once when it is told to stop. */
export const sleep = (ms: number, stopped: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (stopped.aborted) return resolve();
    const timer = setTimeout(end, ms);
    function end() {
      clearTimeout(timer);
      stopped.removeEventListener("abort", end);
      resolve();
    }
    stopped.addEventListener("abort", end);
  });
