-- golive: phase expand
--
-- tasks.due becomes due_at, as every other moment is called. Both columns stand side by side, and a trigger keeps them equal,
-- until no release writes `due` any more; 014 drops it then. The old rows follow in 011, in a transaction of their own: this
-- one has the table to itself, and must be short.
ALTER TABLE tasks ADD COLUMN due_at timestamptz;
GRANT INSERT (due_at), UPDATE (due_at) ON tasks TO taskflow_app;

CREATE FUNCTION private.keep_due_equal() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.due_at := coalesce(NEW.due_at, NEW.due);
    NEW.due := NEW.due_at;
  ELSIF NEW.due_at IS DISTINCT FROM OLD.due_at THEN
    NEW.due := NEW.due_at;
  ELSE
    NEW.due_at := NEW.due;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER tasks_keep_due_equal BEFORE INSERT OR UPDATE OF due, due_at ON tasks
  FOR EACH ROW EXECUTE FUNCTION private.keep_due_equal();
