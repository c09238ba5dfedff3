-- golive: phase expand
-- golive: no-transaction
--
-- The renamed column's index. CONCURRENTLY: tasks may be large by now, and nobody who writes shall wait.
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_tasks_due_at ON tasks (due_at) WHERE status <> 'done' AND due_at IS NOT NULL;
