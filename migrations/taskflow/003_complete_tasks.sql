-- What a task gets by itself: its project's team (C31) and the time of its last change; and who may be its assignee.
--
-- It runs with the rights of whoever writes, so it sees the projects and users that they see. Somebody else's project gives no
-- team, as does one that is not there: both end at the same refusal, and nobody learns which numbers exist.
CREATE FUNCTION private.complete_task() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.team_id IS NULL THEN
    NEW.team_id := (SELECT p.team_id FROM public.projects p WHERE p.id = NEW.project_id);
  END IF;
  -- Only what is done for somebody: a migration that fills a column changes no task in anyone's eyes.
  IF TG_OP = 'UPDATE' AND current_setting('request.jwt.claims', true) <> '' THEN
    NEW.updated_at := now();
  END IF;
  -- Only a new assignee: a task keeps one who has left the team, whatever else about it changes.
  IF NEW.assignee_id IS NOT NULL
    AND (TG_OP = 'INSERT' OR NEW.assignee_id IS DISTINCT FROM OLD.assignee_id)
    AND NOT EXISTS (SELECT FROM public.users u WHERE u.id = NEW.assignee_id)
  THEN
    RAISE EXCEPTION 'assignee_id % is nobody you work with', NEW.assignee_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER tasks_complete BEFORE INSERT OR UPDATE ON tasks
  FOR EACH ROW EXECUTE FUNCTION private.complete_task();
