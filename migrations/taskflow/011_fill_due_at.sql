-- golive: phase expand
--
-- The rows from before 010. It locks the rows that it writes and nothing else.
UPDATE tasks SET due_at = due WHERE due_at IS DISTINCT FROM due;
