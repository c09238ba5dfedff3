import { describe, expect, it } from "vitest";
import { auditFindings } from "../../cli/delivery/audit.ts";
import { type Accepted, type Finding, findingsText, judgeFindings, passes } from "../../cli/delivery/findings.ts";
import { imageFindings, imagesOf } from "../../cli/delivery/images.ts";
import { completeProduction, settingsWith, sha256 } from "../support/config.ts";

const today = "2026-11-21";
const finding = (changes: Partial<Finding> = {}): Finding => ({
  ...{ where: "npm", id: "GHSA-1", package: "tar", severity: "critical", title: "it writes anywhere", fixable: true },
  ...changes,
});
const entry = (changes: Partial<Accepted> = {}): Accepted => ({
  ...{ id: "GHSA-1", where: "npm", reason: "never unpacks", owner: "ada", until: "2026-12-01" },
  ...changes,
});
const judge = (findings: readonly Finding[], list: readonly Accepted[] = []) =>
  judgeFindings(findings, ["npm"], list, today);

describe("known vulnerabilities", () => {
  it.each([
    ["critical with a fix", finding(), false],
    ["critical without one", finding({ fixable: false }), false],
    ["high with a fix", finding({ severity: "high" }), false],
    ["high without one", finding({ severity: "high", fixable: false }), true],
    ["moderate with a fix", finding({ severity: "moderate" }), true],
  ])("that are %s stop a change or do not", (_, one, passed) => {
    expect(passes(judge([one]))).toBe(passed);
  });

  it("may be accepted until a day, that day included, and not after it", () => {
    expect(passes(judge([finding()], [entry({ until: today })]))).toBe(true);
    const over = judge([finding()], [entry({ until: "2026-11-20" })]);
    expect(passes(over)).toBe(false);
    expect(over.blocking).toEqual([finding()]);
    expect(over.stale).toEqual(["GHSA-1 in npm: accepted by ada until 2026-11-20, which is over"]);
  });

  it("are accepted in one place only", () => {
    expect(passes(judge([finding()], [entry({ where: "redis:7" })]))).toBe(false);
  });

  it("that are accepted but found no more must leave the list; those of other places are not asked about", () => {
    const judgement = judge([], [entry(), entry({ where: "redis:7" })]);
    expect(judgement.stale).toEqual(["GHSA-1 in npm: accepted by ada, but not found any more"]);
    expect(passes(judgement)).toBe(false);
    expect(findingsText(judgement)).toContain("0 to put right, 0 accepted, 0 tolerated: failed");
  });

  it("are told with the gravest first", () => {
    const text = findingsText(judge([finding({ severity: "high", id: "GHSA-0" }), finding()]));
    expect(text).toBe(`severity  id      where  package  fix  title
critical  GHSA-1  npm    tar      yes  it writes anywhere
high      GHSA-0  npm    tar      yes  it writes anywhere

2 to put right, 0 accepted, 0 tolerated: failed`);
  });
});

describe("npm audit", () => {
  const report = (vulnerabilities: object) => ({ stdout: JSON.stringify({ vulnerabilities }), stderr: "" });
  const via = { name: "tar", title: "writes anywhere", url: "https://github.com/advisories/GHSA-1", severity: "high" };

  it("is read advisory by advisory; a package that only depends on a bad one is not one more", () => {
    const found = auditFindings(
      report({
        tar: { name: "tar", via: [via], fixAvailable: { name: "tar", version: "8.0.0" } },
        outer: { name: "outer", via: ["tar"], fixAvailable: true },
        stuck: { name: "stuck", via: [{ ...via, severity: "unheard of" }], fixAvailable: false },
      }),
    );
    const one = { where: "npm", id: "GHSA-1", title: "writes anywhere" };
    expect(found).toEqual([
      { ...one, package: "tar", severity: "high", fixable: true },
      { ...one, package: "stuck", severity: "critical", fixable: false },
    ]);
  });

  it.each([
    [
      { stdout: '{"message":"405 Method Not Allowed"}', stderr: "" },
      "could not ask the registry: 405 Method Not Allowed",
    ],
    [{ stdout: "", stderr: "npm error network" }, "could not ask the registry: npm error network"],
  ])("that could not ask is no pass", (result, message) => {
    expect(() => auditFindings(result)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    );
  });
});

describe("the scan of an image", () => {
  const scan = (packages: object) => ({ exitCode: 1, stdout: JSON.stringify({ results: [{ packages }] }), stderr: "" });
  const vulnerability = (id: string, events: readonly object[]) => ({
    id,
    summary: `about ${id}`,
    affected: [{ ranges: [{ events }] }],
  });

  it("is one finding for all names of a vulnerability, by its score, fixable when any of them says so", () => {
    const found = imageFindings(
      "redis:7",
      scan([
        {
          package: { name: "openssl", version: "3.0.1" },
          vulnerabilities: [
            vulnerability("DSA-1", [{ introduced: "0" }, { fixed: "3.0.2" }]),
            vulnerability("CVE-1", []),
          ],
          groups: [{ ids: ["DSA-1", "CVE-1"], max_severity: "9.8" }],
        },
        {
          package: { name: "zlib", version: "1" },
          vulnerabilities: [vulnerability("CVE-2", [{ introduced: "0" }])],
          groups: [{ ids: ["CVE-2"], max_severity: "" }],
        },
      ]),
    );
    expect(found).toEqual([
      {
        where: "redis:7",
        id: "DSA-1",
        package: "openssl 3.0.1",
        severity: "critical",
        title: "about DSA-1",
        fixable: true,
      },
      { where: "redis:7", id: "CVE-2", package: "zlib 1", severity: "high", title: "about CVE-2", fixable: false },
    ]);
  });

  it.each([127, 128])("that ended with %i found nothing out, and is no pass", (exitCode) => {
    expect(() => imageFindings("redis:7", { exitCode, stdout: "", stderr: "manifest unknown" })).toThrow(
      `redis:7 could not be scanned (exit code ${exitCode}): manifest unknown`,
    );
  });

  it("is of every image that the stack names, as it is pulled, each once", () => {
    const settings = settingsWith({
      ...completeProduction,
      imageMirrors: { "docker.io/": "mirror.example.com/" },
    });
    const images = imagesOf(settings);
    expect(images).toContain(`backend:1${sha256("1")}`);
    expect(images).toContain(`frontend:2${sha256("4")}`);
    expect(images.filter((each) => each.startsWith("docker.io/"))).toEqual([]);
    expect(images.filter((each) => each.startsWith("mirror.example.com/library/postgres:"))).toHaveLength(1);
    expect(images.some((each) => each.includes("prometheus/prometheus:"))).toBe(true);
    expect(new Set(images).size).toBe(images.length);
  });
});
