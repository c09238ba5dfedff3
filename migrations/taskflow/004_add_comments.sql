-- Comments on tasks (S0-35, S0-38): seen by whoever sees the task.
CREATE TABLE comments (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id integer NOT NULL,
  -- The task's team, so that policies need not look at the task: filled in when absent, held equal by the foreign key.
  team_id integer NOT NULL,
  author_id integer DEFAULT private.current_user_id() REFERENCES users ON DELETE SET NULL,
  body text NOT NULL CHECK (char_length(body) BETWEEN 1 AND 10000),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT comments_task_id_team_id_fkey FOREIGN KEY (task_id, team_id)
    REFERENCES tasks (id, team_id) ON UPDATE CASCADE ON DELETE CASCADE
);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
ALTER TABLE comments FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SEQUENCE comments_id_seq FROM taskflow_app;

-- A task's comments in order (S0-35). Policy column.
CREATE INDEX IF NOT EXISTS idx_comments_task_id_created_at ON comments (task_id, created_at);
-- What was said lately in a team, by someone, at all (S1:382). The first two are policy columns.
CREATE INDEX IF NOT EXISTS idx_comments_team_id_created_at ON comments (team_id, created_at);
CREATE INDEX IF NOT EXISTS idx_comments_author_id ON comments (author_id, created_at);
CREATE INDEX IF NOT EXISTS idx_comments_created_at ON comments (created_at);

-- Tasks that are one's own, whatever their team: an assignee need not be a member.
CREATE FUNCTION private.own_task_ids() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me integer := private.current_user_id();
BEGIN
  RETURN ARRAY(
    SELECT t.id FROM public.tasks t WHERE t.assignee_id = me
    UNION
    SELECT t.id FROM public.tasks t WHERE t.creator_id = me);
END
$$;
GRANT EXECUTE ON FUNCTION private.own_task_ids() TO taskflow_app, taskflow_read;

-- For tables of rows that belong to a task. With the rights of whoever writes, as private.complete_task() (003).
CREATE FUNCTION private.take_team_of_task() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  IF NEW.team_id IS NULL THEN
    NEW.team_id := (SELECT t.team_id FROM public.tasks t WHERE t.id = NEW.task_id);
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER comments_take_team BEFORE INSERT ON comments
  FOR EACH ROW EXECUTE FUNCTION private.take_team_of_task();

CREATE POLICY comments_read ON comments FOR SELECT TO taskflow_app, taskflow_read
  USING (
    team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
    OR author_id = (SELECT private.current_user_id())
    OR task_id = ANY ((SELECT private.own_task_ids())::integer[])
  );
CREATE POLICY comments_create ON comments FOR INSERT TO taskflow_app
  WITH CHECK (
    author_id = (SELECT private.current_user_id())
    AND (
      team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
      OR task_id = ANY ((SELECT private.own_task_ids())::integer[])
    )
  );
CREATE POLICY comments_change ON comments FOR UPDATE TO taskflow_app
  USING (author_id = (SELECT private.current_user_id()))
  WITH CHECK (author_id = (SELECT private.current_user_id()));
CREATE POLICY comments_remove ON comments FOR DELETE TO taskflow_app
  USING (
    author_id = (SELECT private.current_user_id())
    OR (
      team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
      AND team_id = ANY ((SELECT private.managed_team_ids())::integer[])
    )
  );
REVOKE INSERT, UPDATE ON comments FROM taskflow_app;
GRANT INSERT (task_id, team_id, author_id, body), UPDATE (body) ON comments TO taskflow_app;
