-- golive: phase contract
--
-- The end of what 010 began: nobody writes `due` any more. Its index goes with it.
DO $$
BEGIN
  IF EXISTS (SELECT FROM tasks WHERE due IS DISTINCT FROM due_at) THEN
    RAISE EXCEPTION 'tasks.due and tasks.due_at differ: the trigger of 010 was off; put them right, then run this file again';
  END IF;
END
$$;
DROP TRIGGER tasks_keep_due_equal ON tasks;
DROP FUNCTION private.keep_due_equal();
ALTER TABLE tasks DROP COLUMN due;
