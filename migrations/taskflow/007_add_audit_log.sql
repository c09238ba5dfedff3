-- Who changed what (S4-20, S1-32): written by triggers, read by admins, changed by nobody, kept for 90 days.
CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  -- No foreign key: what someone did stays when their account goes. Null: a program without claims; `login` names it.
  actor_id integer,
  login text NOT NULL DEFAULT session_user,
  action text NOT NULL CHECK (action IN ('insert', 'update', 'delete')),
  table_name text NOT NULL,
  -- The row's id; of a membership, team and user: 3/7.
  row_id text NOT NULL,
  -- Of an update only what changed.
  before jsonb,
  after jsonb
);
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SEQUENCE audit_log_id_seq FROM taskflow_app;

-- What someone did; what happened to a row; what happened lately, and what is old enough to go.
CREATE INDEX IF NOT EXISTS idx_audit_log_actor_id_at ON audit_log (actor_id, at);
CREATE INDEX IF NOT EXISTS idx_audit_log_table_name_row_id ON audit_log (table_name, row_id, at);
CREATE INDEX IF NOT EXISTS idx_audit_log_at ON audit_log (at);

CREATE POLICY audit_log_read ON audit_log FOR SELECT TO taskflow_app, taskflow_read
  USING ((SELECT private.is_admin()));
REVOKE INSERT, UPDATE, DELETE ON audit_log FROM taskflow_app;

-- Binds the owner, too. Retention is a plain DELETE of what is older than 90 days.
CREATE FUNCTION private.keep_audit_log() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_log is append-only: % is refused; only rows older than 90 days may be deleted', TG_OP
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_keep_rows BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION private.keep_audit_log();
CREATE TRIGGER audit_log_keep_table BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION private.keep_audit_log();

-- Arguments: columns whose values are left out. A change of nothing else is not recorded; an update of a row to what it
-- was is none.
CREATE FUNCTION private.record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  -- Null when the trigger has no arguments.
  left_out text[] := coalesce(TG_ARGV, '{}');
  row_before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  row_after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  whole jsonb := coalesce(row_after, row_before);
  row_id text := coalesce(whole ->> 'id', concat_ws('/', whole ->> 'team_id', whole ->> 'user_id'));
BEGIN
  row_before := row_before - left_out;
  row_after := row_after - left_out;
  IF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value)
    INTO row_before, row_after
    FROM jsonb_each(row_before) o JOIN jsonb_each(row_after) n USING (key)
    WHERE o.value <> n.value;
    IF row_after IS NULL THEN
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO public.audit_log (actor_id, action, table_name, row_id, before, after)
  VALUES (private.current_user_id(), lower(TG_OP), TG_TABLE_NAME, row_id, row_before, row_after);
  RETURN NULL;
END
$$;

CREATE TRIGGER users_record_change AFTER INSERT OR UPDATE OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION private.record_change('last_active_at');
CREATE TRIGGER teams_record_change AFTER INSERT OR UPDATE OR DELETE ON teams
  FOR EACH ROW EXECUTE FUNCTION private.record_change();
CREATE TRIGGER team_members_record_change AFTER INSERT OR UPDATE OR DELETE ON team_members
  FOR EACH ROW EXECUTE FUNCTION private.record_change();
CREATE TRIGGER projects_record_change AFTER INSERT OR UPDATE OR DELETE ON projects
  FOR EACH ROW EXECUTE FUNCTION private.record_change();
CREATE TRIGGER tasks_record_change AFTER INSERT OR UPDATE OR DELETE ON tasks
  FOR EACH ROW EXECUTE FUNCTION private.record_change('updated_at');
