-- golive: phase expand
--
-- What people did in the last 24 hours, as numbers (S1-63): who watches the stack reads these four and no row behind them.

-- Somebody is active who begins or continues a session; an access token is good for 15 minutes, so this is as exact as that.
-- At most once a minute for a user: a page that refreshes often writes no row each time.
CREATE FUNCTION private.mark_active() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
  UPDATE public.users u SET last_active_at = now()
  WHERE u.id = NEW.user_id AND (u.last_active_at IS NULL OR u.last_active_at < now() - interval '1 minute');
  RETURN NULL;
END
$$;
CREATE TRIGGER refresh_tokens_mark_active AFTER INSERT ON refresh_tokens
  FOR EACH ROW EXECUTE FUNCTION private.mark_active();

-- Each count reads an index of one day: idx_users_last_active_at, idx_tasks_created_at, idx_comments_created_at,
-- idx_time_entries_started_at. Name, help and value are the exporter's metrics.
CREATE FUNCTION private.business_metrics() RETURNS TABLE (name text, help text, value double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT 'taskflow_active_users', 'Users who began or continued a session in the last 24 hours.', count(*)::double precision
  FROM public.users u WHERE u.last_active_at > now() - interval '1 day'
  UNION ALL
  SELECT 'taskflow_tasks_created_last_day', 'Tasks created in the last 24 hours.', count(*)::double precision
  FROM public.tasks t WHERE t.created_at > now() - interval '1 day'
  UNION ALL
  SELECT 'taskflow_comments_last_day', 'Comments written in the last 24 hours.', count(*)::double precision
  FROM public.comments c WHERE c.created_at > now() - interval '1 day'
  UNION ALL
  -- A clock that still runs counts until now.
  SELECT 'taskflow_time_tracked_seconds_last_day', 'Time tracked by entries begun in the last 24 hours.',
    coalesce(sum(extract(epoch FROM least(e.ended_at, now()) - e.started_at)), 0)::double precision
  FROM public.time_entries e WHERE e.started_at > now() - interval '1 day' AND e.started_at <= now()
$$;
GRANT USAGE ON SCHEMA private TO taskflow_exporter;
GRANT EXECUTE ON FUNCTION private.business_metrics() TO taskflow_exporter;
