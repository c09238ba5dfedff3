-- What someone is told (S0-37): that a task is theirs now, that there is a new comment on it. Triggers write them, nobody else.
CREATE TABLE notifications (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  task_id integer NOT NULL,
  team_id integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('assigned', 'commented')),
  read_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT notifications_task_id_team_id_fkey FOREIGN KEY (task_id, team_id)
    REFERENCES tasks (id, team_id) ON UPDATE CASCADE ON DELETE CASCADE
);
ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SEQUENCE notifications_id_seq FROM taskflow_app;

-- Someone's newest (policy column); how many are unread; those of a task that goes.
CREATE INDEX IF NOT EXISTS idx_notifications_user_id_created_at ON notifications (user_id, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_notifications_unread ON notifications (user_id) WHERE read_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_notifications_task_id ON notifications (task_id, team_id);

CREATE POLICY notifications_read ON notifications FOR SELECT TO taskflow_app, taskflow_read
  USING (user_id = ANY ((SELECT private.reachable_user_ids())::integer[]));
CREATE POLICY notifications_change ON notifications FOR UPDATE TO taskflow_app
  USING (user_id = (SELECT private.current_user_id()))
  WITH CHECK (user_id = (SELECT private.current_user_id()));
CREATE POLICY notifications_remove ON notifications FOR DELETE TO taskflow_app
  USING (user_id = (SELECT private.current_user_id()));
REVOKE INSERT, UPDATE ON notifications FROM taskflow_app;
GRANT UPDATE (read_at) ON notifications TO taskflow_app;

-- Nobody is told what they did themselves; an import, which has no claims, tells nobody anything.
CREATE FUNCTION private.tell_assignee() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me integer;
BEGIN
  IF NEW.assignee_id IS NULL OR (TG_OP = 'UPDATE' AND NEW.assignee_id IS NOT DISTINCT FROM OLD.assignee_id) THEN
    RETURN NULL;
  END IF;
  me := private.current_user_id();
  IF me <> NEW.assignee_id THEN
    INSERT INTO public.notifications (user_id, task_id, team_id, kind)
    VALUES (NEW.assignee_id, NEW.id, NEW.team_id, 'assigned');
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER tasks_tell_assignee AFTER INSERT OR UPDATE OF assignee_id ON tasks
  FOR EACH ROW EXECUTE FUNCTION private.tell_assignee();

CREATE FUNCTION private.tell_of_comment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  INSERT INTO public.notifications (user_id, task_id, team_id, kind)
  SELECT DISTINCT told.id, t.id, t.team_id, 'commented'
  FROM public.tasks t CROSS JOIN LATERAL unnest(ARRAY[t.assignee_id, t.creator_id]) AS told (id)
  WHERE t.id = NEW.task_id AND told.id <> private.current_user_id();
  RETURN NULL;
END
$$;
CREATE TRIGGER comments_tell AFTER INSERT ON comments
  FOR EACH ROW EXECUTE FUNCTION private.tell_of_comment();
