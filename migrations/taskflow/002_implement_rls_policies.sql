-- Who sees and changes which rows (S0-17, S0-27..30, S0-42, S0-48..53). The application says for whom it works, in each
-- transaction: set_config('request.jwt.claims', '{"sub": "…", "role": "…"}', true), as PostgREST does.
--
-- A task is seen by its assignee, its creator, the members of its team, and admins (C30). Stored memberships decide: the
-- claim `teams` is never read, so a stale or forged one grants nothing. An admin needs both, the claim and the stored role
-- (C33). Without claims nothing is seen.
--
-- How the policies are written, so that they stay fast and tight:
--  * Each helper is called as (select helper()): once for a statement, not once for a row.
--  * Helpers give arrays, for an admin all ids. An OR uses indexes only when each part can, and `= ANY (array)` can, while
--    `OR (select is_admin())` would make PostgreSQL read the whole table.
--  * Helpers are SECURITY DEFINER, because a policy that reads its own table recurs without end (V10); their search_path is
--    empty, so nobody can put another table in the place of one they read. PL/pgSQL keeps its plans between calls.
--  * The application gets the columns that it may write, one by one. It never sets an id or a team afterwards: a row cannot be
--    moved to another team, and a clash of ids tells nothing about rows of others. A migration that adds a column grants it.

-- NULLIF: after a transaction that had claims the parameter is '' and not null (V09).
CREATE FUNCTION private.claim(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> name $$;

-- users.id of the claim `sub`; null without one, or for somebody unknown.
CREATE FUNCTION private.current_user_id() RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  RETURN (SELECT u.id FROM public.users u WHERE u.open_id = private.claim('sub'));
END
$$;

CREATE FUNCTION private.is_admin() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF private.claim('role') IS DISTINCT FROM 'admin' THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM public.users u WHERE u.open_id = private.claim('sub') AND u.role = 'admin');
END
$$;

-- Teams whose rows may be seen: those one is a member of.
CREATE FUNCTION private.reachable_team_ids() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF private.is_admin() THEN
    RETURN ARRAY(SELECT t.id FROM public.teams t);
  END IF;
  RETURN ARRAY(
    SELECT m.team_id FROM public.team_members m JOIN public.users u ON u.id = m.user_id
    WHERE u.open_id = private.claim('sub'));
END
$$;

-- Teams whose members one may change: those one owns or leads.
CREATE FUNCTION private.managed_team_ids() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me integer := private.current_user_id();
BEGIN
  IF private.is_admin() THEN
    RETURN ARRAY(SELECT t.id FROM public.teams t);
  END IF;
  RETURN ARRAY(
    SELECT t.id FROM public.teams t WHERE t.owner_id = me
    UNION
    SELECT m.team_id FROM public.team_members m WHERE m.user_id = me AND m.role = 'lead');
END
$$;

-- Users whose own rows (notifications, time) may be seen: oneself.
CREATE FUNCTION private.reachable_user_ids() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  IF private.is_admin() THEN
    RETURN ARRAY(SELECT u.id FROM public.users u);
  END IF;
  RETURN ARRAY(SELECT u.id FROM public.users u WHERE u.open_id = private.claim('sub'));
END
$$;

-- Users whose names may be seen: oneself, whoever shares a team, and the members of a team that one owns.
CREATE FUNCTION private.visible_user_ids() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me integer := private.current_user_id();
BEGIN
  IF private.is_admin() THEN
    RETURN ARRAY(SELECT u.id FROM public.users u);
  END IF;
  RETURN ARRAY(
    SELECT me WHERE me IS NOT NULL
    UNION
    SELECT m.user_id FROM public.team_members m
    WHERE m.team_id IN (
      SELECT o.team_id FROM public.team_members o WHERE o.user_id = me
      UNION ALL SELECT t.id FROM public.teams t WHERE t.owner_id = me));
END
$$;

GRANT EXECUTE ON FUNCTION
  private.current_user_id(), private.is_admin(), private.reachable_team_ids(), private.managed_team_ids(),
  private.reachable_user_ids(), private.visible_user_ids()
TO taskflow_app, taskflow_read;

-- Whoever makes a row is its creator or owner.
ALTER TABLE teams ALTER COLUMN owner_id SET DEFAULT private.current_user_id();
ALTER TABLE tasks ALTER COLUMN creator_id SET DEFAULT private.current_user_id();

-- users: names of those one works with. Addresses are read by nobody here; public.accounts() shows one's own (008).
CREATE POLICY users_read ON users FOR SELECT TO taskflow_app, taskflow_read
  USING (id = ANY ((SELECT private.visible_user_ids())::integer[]));
CREATE POLICY users_change ON users FOR UPDATE TO taskflow_app
  USING (id = (SELECT private.current_user_id()))
  WITH CHECK (id = (SELECT private.current_user_id()));
REVOKE ALL ON users FROM taskflow_app, taskflow_read;
GRANT SELECT (id, open_id, name, role) ON users TO taskflow_app, taskflow_read;
GRANT UPDATE (name, last_active_at) ON users TO taskflow_app;
-- It has no right of its own but through taskflow_read, and a backup needs all columns.
GRANT SELECT ON users TO taskflow_backup;

CREATE POLICY teams_read ON teams FOR SELECT TO taskflow_app, taskflow_read
  USING (
    id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR owner_id = (SELECT private.current_user_id())
  );
CREATE POLICY teams_create ON teams FOR INSERT TO taskflow_app
  WITH CHECK (owner_id = (SELECT private.current_user_id()));
CREATE POLICY teams_change ON teams FOR UPDATE TO taskflow_app
  USING (id = ANY ((SELECT private.managed_team_ids())::integer[]))
  WITH CHECK (id = ANY ((SELECT private.managed_team_ids())::integer[]));
-- Only an empty one: projects hold their team.
CREATE POLICY teams_remove ON teams FOR DELETE TO taskflow_app
  USING (id = ANY ((SELECT private.managed_team_ids())::integer[]));
REVOKE INSERT, UPDATE ON teams FROM taskflow_app;
GRANT INSERT (name, owner_id), UPDATE (name) ON teams TO taskflow_app;

-- Nobody is added by number: that would show the name of anyone. public.add_member() takes an address that one must know (008).
CREATE POLICY team_members_read ON team_members FOR SELECT TO taskflow_app, taskflow_read
  USING (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR team_id = ANY ((SELECT private.managed_team_ids())::integer[])
  );
CREATE POLICY team_members_change ON team_members FOR UPDATE TO taskflow_app
  USING (team_id = ANY ((SELECT private.managed_team_ids())::integer[]))
  WITH CHECK (team_id = ANY ((SELECT private.managed_team_ids())::integer[]));
CREATE POLICY team_members_remove ON team_members FOR DELETE TO taskflow_app
  USING (
    team_id = ANY ((SELECT private.managed_team_ids())::integer[])
    OR user_id = (SELECT private.current_user_id())
  );
REVOKE INSERT, UPDATE ON team_members FROM taskflow_app;
GRANT UPDATE (role) ON team_members TO taskflow_app;

CREATE POLICY projects_read ON projects FOR SELECT TO taskflow_app, taskflow_read
  USING (team_id = ANY ((SELECT private.reachable_team_ids())::integer[]));
CREATE POLICY projects_create ON projects FOR INSERT TO taskflow_app
  WITH CHECK (team_id = ANY ((SELECT private.reachable_team_ids())::integer[]));
CREATE POLICY projects_change ON projects FOR UPDATE TO taskflow_app
  USING (team_id = ANY ((SELECT private.reachable_team_ids())::integer[]))
  WITH CHECK (team_id = ANY ((SELECT private.reachable_team_ids())::integer[]));
-- Both: an owner who is not a member does not delete what it cannot see.
CREATE POLICY projects_remove ON projects FOR DELETE TO taskflow_app
  USING (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    AND team_id = ANY ((SELECT private.managed_team_ids())::integer[])
  );
REVOKE INSERT, UPDATE ON projects FROM taskflow_app;
GRANT INSERT (team_id, name), UPDATE (name) ON projects TO taskflow_app;

CREATE POLICY tasks_read ON tasks FOR SELECT TO taskflow_app, taskflow_read
  USING (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR assignee_id = (SELECT private.current_user_id())
    OR creator_id = (SELECT private.current_user_id())
  );
CREATE POLICY tasks_create ON tasks FOR INSERT TO taskflow_app
  WITH CHECK (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    AND creator_id = (SELECT private.current_user_id())
  );
CREATE POLICY tasks_change ON tasks FOR UPDATE TO taskflow_app
  USING (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR assignee_id = (SELECT private.current_user_id())
    OR creator_id = (SELECT private.current_user_id())
  )
  WITH CHECK (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR assignee_id = (SELECT private.current_user_id())
    OR creator_id = (SELECT private.current_user_id())
  );
CREATE POLICY tasks_remove ON tasks FOR DELETE TO taskflow_app
  USING (
    creator_id = (SELECT private.current_user_id())
    OR (
      team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
      AND team_id = ANY ((SELECT private.managed_team_ids())::integer[])
    )
  );
REVOKE INSERT, UPDATE ON tasks FROM taskflow_app;
-- Without team_id in UPDATE: the foreign key then holds a task in a project of the team that it was made in.
GRANT INSERT (project_id, team_id, title, description, status, assignee_id, creator_id, due),
  UPDATE (project_id, title, description, status, assignee_id, due) ON tasks TO taskflow_app;
