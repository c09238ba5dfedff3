-- Statistics (S4-66): each reader counts the rows that they may see, because the views run with their rights.
CREATE VIEW task_statistics WITH (security_invoker = true) AS
  SELECT
    team_id,
    count(*)::integer AS tasks,
    count(*) FILTER (WHERE status = 'todo')::integer AS todo,
    count(*) FILTER (WHERE status = 'in_progress')::integer AS in_progress,
    count(*) FILTER (WHERE status = 'done')::integer AS done,
    count(*) FILTER (WHERE status <> 'done' AND due_at < now())::integer AS overdue
  FROM tasks
  GROUP BY team_id;

-- Minutes a person and day, in UTC; a clock that still runs counts until now.
CREATE VIEW time_statistics WITH (security_invoker = true) AS
  SELECT
    user_id,
    (started_at AT TIME ZONE 'UTC')::date AS day,
    round(sum(extract(epoch FROM coalesce(ended_at, now()) - started_at)) / 60)::integer AS minutes
  FROM time_entries
  GROUP BY user_id, (started_at AT TIME ZONE 'UTC')::date;

REVOKE INSERT, UPDATE, DELETE ON task_statistics, time_statistics FROM taskflow_app;
