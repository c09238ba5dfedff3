-- Indexes of the base tables (S0-16, S0-25, S4-17): one for each query that the application or a policy asks, none twice.
-- Keys and unique constraints have theirs from 000. Not CONCURRENTLY: the tables are empty or new, and one transaction is
-- worth more; 012 is what an index on a large table looks like.

-- Administration: the few admins; who came lately, who joined lately.
CREATE INDEX IF NOT EXISTS idx_users_admins ON users (id) WHERE role = 'admin';
CREATE INDEX IF NOT EXISTS idx_users_last_active_at ON users (last_active_at);
CREATE INDEX IF NOT EXISTS idx_users_created_at ON users (created_at);

-- The teams that someone owns (policy); teams by name.
CREATE INDEX IF NOT EXISTS idx_teams_owner_id ON teams (owner_id);
CREATE INDEX IF NOT EXISTS idx_teams_name ON teams (name);

-- The teams of a user: asked by nearly every policy. The key begins with the team, so it does not serve this.
CREATE INDEX IF NOT EXISTS idx_team_members_user_id ON team_members (user_id, team_id);
CREATE INDEX IF NOT EXISTS idx_team_members_leads ON team_members (user_id, team_id) WHERE role = 'lead';

-- A team's projects by name (policy, list); the newest projects.
CREATE INDEX IF NOT EXISTS idx_projects_team_id_name ON projects (team_id, name);
CREATE INDEX IF NOT EXISTS idx_projects_created_at ON projects (created_at);

-- A team's tasks, newest first; in one status (S0-26, S0-35, S0-57). Policy column.
CREATE INDEX IF NOT EXISTS idx_tasks_team_id ON tasks (team_id, id DESC);
CREATE INDEX IF NOT EXISTS idx_tasks_team_id_status ON tasks (team_id, status, id DESC);
-- A project's board, and what follows a project that is deleted.
CREATE INDEX IF NOT EXISTS idx_tasks_project_id_status ON tasks (project_id, status, id DESC);
-- Someone's own tasks. Policy columns.
CREATE INDEX IF NOT EXISTS idx_tasks_assignee_id_status ON tasks (assignee_id, status, id DESC);
CREATE INDEX IF NOT EXISTS idx_tasks_creator_id ON tasks (creator_id, id DESC);
-- All tasks in one status, newest first: an admin's list (S0-35).
CREATE INDEX IF NOT EXISTS idx_tasks_status ON tasks (status, id DESC);
-- Tasks created a day (S1:381), changed lately.
CREATE INDEX IF NOT EXISTS idx_tasks_created_at ON tasks (created_at);
CREATE INDEX IF NOT EXISTS idx_tasks_updated_at ON tasks (updated_at);
-- What is open and due.
CREATE INDEX IF NOT EXISTS idx_tasks_due ON tasks (due) WHERE status <> 'done' AND due IS NOT NULL;
