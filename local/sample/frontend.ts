import { Refusal, type Reply, type Route } from "./http.ts";
import { type Program, run } from "./lifecycle.ts";
import { page, script, style } from "./page.ts";
import { type FrontendSettings, frontendSettings } from "./settings.ts";

// An asset's name holds its version, so it never changes; the page names its assets, so it must be asked for each time.
const forever = "public, max-age=31536000, immutable";
const everyTime = "no-cache";

/** The frontend: one page, and the assets of its own release only. */
function frontend({ identity, assetPrefix }: FrontendSettings): Program {
  const assets = new Map<string, Reply>([
    [`app.${identity.version}.js`, text(script(identity), "text/javascript; charset=utf-8", forever)],
    [`app.${identity.version}.css`, text(style(identity), "text/css; charset=utf-8", forever)],
  ]);
  const routes: readonly Route[] = [
    {
      method: "GET",
      path: "/",
      handle: () => text(page(identity, assetPrefix), "text/html; charset=utf-8", everyTime),
    },
    {
      method: "GET",
      path: `${assetPrefix}/`,
      handle(_request, { path }) {
        const found = assets.get(path.slice(assetPrefix.length + 1));
        // Another release's page came to this one for its assets: that is what a lost asset prefix looks like.
        if (!found)
          throw new Refusal(404, `no such asset in version ${identity.version}`, { "cache-control": "no-store" });
        return found;
      },
    },
  ];
  return { routes, start: async () => {}, close: async () => {} };
}

function text(body: string, type: string, cacheControl: string): Reply {
  return { status: 200, body, type, headers: { "cache-control": cacheControl } };
}

await run(frontendSettings, frontend);
