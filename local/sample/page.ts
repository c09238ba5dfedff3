import type { Identity } from "./settings.ts";

/** The page: it names its colour and version, and loads the assets of exactly that release. */
export const page = ({ colour, version, pod }: Identity, assetPrefix: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>TaskFlow ${version} (${colour})</title>
    <link rel="stylesheet" href="${assetPrefix}/app.${version}.css">
    <script defer src="${assetPrefix}/app.${version}.js"></script>
  </head>
  <body data-colour="${colour}" data-version="${version}">
    <h1>TaskFlow</h1>
    <p>This page: <strong>${colour}</strong>, version ${version}, from ${escapeHtml(pod)}.</p>
    <p>The API: <strong id="api">asking …</strong></p>
  </body>
</html>
`;

export const script = ({ version }: Identity): string => `// TaskFlow ${version}
const shown = document.getElementById("api");
fetch("/api/version")
  .then((answer) => answer.json())
  .then(({ colour, version, pod }) => { shown.textContent = colour + ", version " + version + ", from " + pod; })
  .catch((error) => { shown.textContent = "no answer (" + error.message + ")"; });
`;

export const style = ({ colour, version }: Identity): string => `/* TaskFlow ${version} */
body { font-family: system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; border-left: 1rem solid ${colour}; padding-left: 2rem; }
`;

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
