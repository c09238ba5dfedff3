/** Waits for a condition of the live system, asked every `everyMs`. @throws Error after `seconds`, naming what was waited for. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  seconds = 120,
  everyMs = 250,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
