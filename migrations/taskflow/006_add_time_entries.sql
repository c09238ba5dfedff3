-- Time spent on tasks (S1:383): one's own, and that of one's teams.
CREATE TABLE time_entries (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id integer NOT NULL,
  team_id integer NOT NULL,
  user_id integer NOT NULL DEFAULT private.current_user_id() REFERENCES users ON DELETE CASCADE,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz CHECK (ended_at > started_at),
  CONSTRAINT time_entries_task_id_team_id_fkey FOREIGN KEY (task_id, team_id)
    REFERENCES tasks (id, team_id) ON UPDATE CASCADE ON DELETE CASCADE
);
ALTER TABLE time_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE time_entries FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SEQUENCE time_entries_id_seq FROM taskflow_app;

-- Time of a task; of a person and of a team by day (policy columns); of everyone by day.
CREATE INDEX IF NOT EXISTS idx_time_entries_task_id ON time_entries (task_id, team_id);
CREATE INDEX IF NOT EXISTS idx_time_entries_user_id_started_at ON time_entries (user_id, started_at);
CREATE INDEX IF NOT EXISTS idx_time_entries_team_id_started_at ON time_entries (team_id, started_at);
CREATE INDEX IF NOT EXISTS idx_time_entries_started_at ON time_entries (started_at);
-- A clock that runs: one for a person.
CREATE UNIQUE INDEX IF NOT EXISTS idx_time_entries_running ON time_entries (user_id) WHERE ended_at IS NULL;

CREATE TRIGGER time_entries_take_team BEFORE INSERT ON time_entries
  FOR EACH ROW EXECUTE FUNCTION private.take_team_of_task();

CREATE POLICY time_entries_read ON time_entries FOR SELECT TO taskflow_app, taskflow_read
  USING (
    user_id = (SELECT private.current_user_id())
    OR team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
  );
CREATE POLICY time_entries_create ON time_entries FOR INSERT TO taskflow_app
  WITH CHECK (
    user_id = (SELECT private.current_user_id())
    AND (
      team_id = ANY ((SELECT private.reachable_team_ids())::integer[])
      OR task_id = ANY ((SELECT private.own_task_ids())::integer[])
    )
  );
CREATE POLICY time_entries_change ON time_entries FOR UPDATE TO taskflow_app
  USING (user_id = (SELECT private.current_user_id()))
  WITH CHECK (user_id = (SELECT private.current_user_id()));
CREATE POLICY time_entries_remove ON time_entries FOR DELETE TO taskflow_app
  USING (user_id = (SELECT private.current_user_id()));
REVOKE INSERT, UPDATE ON time_entries FROM taskflow_app;
GRANT INSERT (task_id, team_id, user_id, started_at, ended_at), UPDATE (started_at, ended_at) ON time_entries TO taskflow_app;
