-- The tables of TaskFlow that the plan takes for granted (research/requirements.md 3a).
--
-- Why 000: the plan names 001_add_performance_indexes.sql and 002_implement_rls_policies.sql (S0-16, S0-17), and both need
-- tables to work on. This file stands before them, so that the two keep their names and an empty database can run them all.
--
-- Closed from the first moment: row level security is on and forced here, and without a policy it shows nobody anything.
-- 002 opens what may be seen. A run that ends between the two leaves nothing open.

-- A function is for whom it is granted to. PostgreSQL's own default is everyone.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Helpers of policies and triggers. The application has no USAGE on it: it cannot call them by name.
CREATE SCHEMA private;

CREATE TABLE users (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What a token's `sub` says (C32).
  open_id text NOT NULL UNIQUE DEFAULT gen_random_uuid()::text CHECK (open_id <> ''),
  email text NOT NULL UNIQUE CHECK (email = lower(email)),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 254),
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  last_active_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE teams (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 254),
  -- Owning a team is not membership (C30): an owner manages members, and sees the team's rows only as one of them.
  owner_id integer NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE team_members (
  team_id integer NOT NULL REFERENCES teams ON DELETE CASCADE,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'lead')),
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team_id, user_id)
);

CREATE TABLE projects (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  team_id integer NOT NULL REFERENCES teams,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 254),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- What tasks point at, so that a task cannot be in another team's project.
  CONSTRAINT projects_id_team_id_key UNIQUE (id, team_id)
);

CREATE TABLE tasks (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id integer NOT NULL,
  -- Always the project's team (C31): filled in by a trigger when absent, held equal by the foreign key.
  team_id integer NOT NULL,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  description text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'todo' CHECK (status IN ('todo', 'in_progress', 'done')),
  assignee_id integer REFERENCES users ON DELETE SET NULL,
  -- Null: imported, or made by an account that is gone.
  creator_id integer REFERENCES users ON DELETE SET NULL,
  due timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tasks_project_id_team_id_fkey FOREIGN KEY (project_id, team_id)
    REFERENCES projects (id, team_id) ON UPDATE CASCADE ON DELETE CASCADE,
  -- What comments, notifications and time entries point at.
  CONSTRAINT tasks_id_team_id_key UNIQUE (id, team_id)
);

-- An identity column needs no right on its sequence, and a sequence tells how many rows everyone has.
REVOKE ALL ON SEQUENCE users_id_seq, teams_id_seq, projects_id_seq, tasks_id_seq FROM taskflow_app;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE teams FORCE ROW LEVEL SECURITY;
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members FORCE ROW LEVEL SECURITY;
ALTER TABLE projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE projects FORCE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
