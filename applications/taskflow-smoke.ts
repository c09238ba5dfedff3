import type { SmokeTest } from "./application.ts";

const email = "smoke-{run}@golive.invalid";
const title = "smoke {run}";
const bearer = { authorization: "Bearer {token}" };

/**
 * What TaskFlow must answer before the first user meets it (S1-45, S4-60, S4-66), by an account of its own (C45). Its API can
 * delete neither tasks nor accounts: docs/operations/preflight.md says what stays, and how to be rid of it.
 */
export const smokeTests: readonly SmokeTest[] = [
  { name: "the backend is alive", service: "backend", path: "/health", expect: { status: 200 } },
  { name: "the backend is ready", service: "backend", path: "/ready", expect: { status: 200 } },
  {
    name: "the backend is the candidate's",
    service: "backend",
    path: "/api/version",
    expect: { status: 200, fields: { colour: "{colour}", version: "{version}" } },
  },
  {
    name: "tasks are refused without a login",
    service: "backend",
    path: "/api/tasks",
    expect: { status: 401 },
  },
  {
    name: "a user registers",
    service: "backend",
    method: "POST",
    path: "/api/auth/register",
    body: { email, password: "{password}", name: "Smoke test" },
    expect: { status: 201, fields: { email } },
  },
  {
    name: "the user logs in",
    service: "backend",
    method: "POST",
    path: "/api/auth/login",
    body: { email, password: "{password}" },
    expect: { status: 200 },
    keep: { token: "token", refreshToken: "refreshToken" },
  },
  {
    name: "the user creates a task",
    service: "backend",
    method: "POST",
    path: "/api/tasks",
    headers: bearer,
    body: { title },
    expect: { status: 201, fields: { title, status: "todo" } },
    keep: { task: "id" },
  },
  {
    name: "the user reads the task",
    service: "backend",
    path: "/api/tasks/{task}",
    headers: bearer,
    expect: { status: 200, fields: { id: "{task}", title } },
  },
  {
    name: "the user finds the task among those to do, and no other's",
    service: "backend",
    path: "/api/tasks?status=todo",
    headers: bearer,
    expect: { status: 200, fields: { "tasks.0.id": "{task}", "tasks.length": "1" } },
  },
  {
    name: "the user logs out",
    service: "backend",
    method: "POST",
    path: "/api/auth/logout",
    body: { refreshToken: "{refreshToken}" },
    expect: { status: 200 },
  },
  { name: "the frontend is alive", service: "frontend", path: "/health", expect: { status: 200 } },
  { name: "the frontend is ready", service: "frontend", path: "/ready", expect: { status: 200 } },
  {
    name: "the page loads",
    service: "frontend",
    path: "/",
    expect: { status: 200, contains: ["<h1>TaskFlow</h1>", 'data-colour="{colour}"'] },
    keep: { script: /<script [^>]*src="([^"]+)"/, style: /<link rel="stylesheet" href="([^"]+)"/ },
  },
  {
    name: "the page's script loads",
    service: "frontend",
    path: "{script}",
    expect: { status: 200, contains: ["fetch("] },
  },
  {
    name: "the page's style loads",
    service: "frontend",
    path: "{style}",
    expect: { status: 200, contains: ["body {"] },
  },
];
