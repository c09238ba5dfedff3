/** How a column's value is carried over. */
export type Rule =
  /** As it is: numbers, times, truth values, words of a closed list. It says nothing about a person. */
  | "keep"
  /** Another open id, the same one for the same person. */
  | "open id"
  | "email"
  /** A name made of a hash: the same for the same text, so that what was equal stays equal. */
  | { readonly name: string }
  /** Gone: this text in its place. */
  | { readonly text: string };

/** A table's columns with their rules, in an order in which each table comes after those that it points at. */
export type Rules = Readonly<Record<string, Readonly<Record<string, Rule>>>>;

/**
 * What becomes of each column of TaskFlow when a dump is loaded elsewhere (S0-01, S1-25). A column without a rule stops the load:
 * whoever adds a column decides here what it is.
 */
export const rules: Rules = {
  users: {
    id: "keep",
    open_id: "open id",
    email: "email",
    name: { name: "User" },
    role: "keep",
    last_active_at: "keep",
    created_at: "keep",
  },
  teams: { id: "keep", name: { name: "Team" }, owner_id: "keep", created_at: "keep" },
  team_members: { team_id: "keep", user_id: "keep", role: "keep", joined_at: "keep" },
  projects: { id: "keep", team_id: "keep", name: { name: "Project" }, created_at: "keep" },
  tasks: {
    id: "keep",
    project_id: "keep",
    team_id: "keep",
    title: { name: "Task" },
    description: { text: "" },
    status: "keep",
    assignee_id: "keep",
    creator_id: "keep",
    due: "keep",
    due_at: "keep",
    created_at: "keep",
    updated_at: "keep",
  },
  comments: {
    id: "keep",
    task_id: "keep",
    team_id: "keep",
    author_id: "keep",
    body: { text: "(removed)" },
    created_at: "keep",
  },
  notifications: {
    id: "keep",
    user_id: "keep",
    task_id: "keep",
    team_id: "keep",
    kind: "keep",
    read_at: "keep",
    created_at: "keep",
  },
  time_entries: {
    id: "keep",
    task_id: "keep",
    team_id: "keep",
    user_id: "keep",
    started_at: "keep",
    ended_at: "keep",
  },
};

/**
 * Tables whose rows stay where they are: secrets (password hashes, refresh tokens), what repeats names and texts (the audit
 * log), and what a database says about itself.
 */
export const leftOut: readonly string[] = [
  "user_credentials",
  "refresh_tokens",
  "audit_log",
  "schema_migrations",
  "database_operations",
];

/** The tables that are seeded and loaded, each after those that it points at. */
export const seededTables: readonly string[] = Object.keys(rules);
