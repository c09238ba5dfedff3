/** Works again and again, so many milliseconds after the end of the time before, until it is told to stop. */
export async function repeat(work: () => Promise<void>, pause: number, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await sleep(pause, stopped);
    if (!stopped.aborted) await work();
  }
}

const sleep = (ms: number, stopped: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(end, ms);
    function end() {
      clearTimeout(timer);
      stopped.removeEventListener("abort", end);
      resolve();
    }
    stopped.addEventListener("abort", end);
  });
