import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gateway } from "../../local/gateway.ts";
import { Failure } from "../failure.ts";

const answerSeconds = 60;

/** Waits until the public name and each colour alone answer: page and API. */
export async function waitForAnswers(hostname: string): Promise<void> {
  const deadline = performance.now() + answerSeconds * 1000;
  const { publicPort, internalPort } = gateway;
  const wanted = [
    { port: publicPort, host: hostname, colour: "blue" },
    { port: internalPort, host: `blue.${hostname}`, colour: "blue" },
    { port: internalPort, host: `green.${hostname}`, colour: "green" },
  ].flatMap((each) => [
    { ...each, path: "/" },
    { ...each, path: "/api/version" },
  ]);
  for (const { port, host, colour, path } of wanted) {
    let got = await ask(port, host, path);
    while (got !== colour) {
      if (performance.now() > deadline) {
        const address = `http://${gateway.host}:${port}${path} (Host: ${host})`;
        throw new Failure(
          `${address}: got ${got} for ${answerSeconds} s; ${colour} should answer. See: golive local status`,
        );
      }
      await sleep(250);
      got = await ask(port, host, path);
    }
  }
}

/** The colour that answered with success, or what came instead. */
function ask(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: gateway.host, port, path, headers: { host }, agent: false, timeout: 5000 });
    outgoing.once("response", (response) => {
      const colour = response.headers["x-taskflow-colour"];
      response.resume();
      resolve(response.statusCode === 200 && typeof colour === "string" ? colour : `status ${response.statusCode}`);
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer within 5 s")));
    outgoing.once("error", (error) => resolve(error.message));
    outgoing.end();
  });
}
