-- Sessions (S0-43): refresh tokens by their SHA-256, each good for one use. The application never reads them.
CREATE TABLE refresh_tokens (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  -- One login and all that followed from it.
  session uuid NOT NULL DEFAULT gen_random_uuid(),
  token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  revoked_at timestamptz
);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
REVOKE ALL ON SEQUENCE refresh_tokens_id_seq FROM taskflow_app;
CREATE POLICY refresh_tokens_nobody ON refresh_tokens FOR ALL TO taskflow_app, taskflow_read USING (false);
REVOKE ALL ON refresh_tokens FROM taskflow_app, taskflow_read;
GRANT SELECT ON refresh_tokens TO taskflow_backup;

-- The tokens of a session, to revoke them; someone's tokens, to clear old ones; what is over.
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_session ON refresh_tokens (session);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_user_id ON refresh_tokens (user_id, expires_at);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- After a login, for the user of the claims.
CREATE FUNCTION public.start_session(hash bytea, lifetime interval DEFAULT '30 days') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me integer := private.current_user_id();
BEGIN
  IF me IS NULL THEN
    RAISE EXCEPTION 'start_session: the claims name no user' USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM public.refresh_tokens t WHERE t.user_id = me AND t.expires_at < now();
  INSERT INTO public.refresh_tokens (user_id, token_hash, expires_at) VALUES (me, hash, now() + lifetime);
END
$$;

-- Spends a token and puts another in its place; the session ends when it was going to. No claims are needed: whoever has the
-- token is its user. No row: unknown, over or revoked. A token that was spent before is in two hands: the whole session is
-- revoked. Commit in any case, or the revocation is lost.
CREATE FUNCTION public.continue_session(spent_hash bytea, next_hash bytea) RETURNS TABLE (sub text, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  spent public.refresh_tokens;
BEGIN
  -- Of two at once the second waits here, and then finds the token spent.
  SELECT * INTO spent FROM public.refresh_tokens t WHERE t.token_hash = spent_hash FOR UPDATE;
  IF NOT FOUND OR spent.revoked_at IS NOT NULL OR spent.expires_at <= now() THEN
    RETURN;
  END IF;
  IF spent.used_at IS NOT NULL THEN
    UPDATE public.refresh_tokens t SET revoked_at = now() WHERE t.session = spent.session AND t.revoked_at IS NULL;
    RETURN;
  END IF;
  UPDATE public.refresh_tokens t SET used_at = now() WHERE t.id = spent.id;
  INSERT INTO public.refresh_tokens (user_id, session, token_hash, expires_at)
  VALUES (spent.user_id, spent.session, next_hash, spent.expires_at);
  RETURN QUERY SELECT u.open_id, u.role FROM public.users u WHERE u.id = spent.user_id;
END
$$;

-- Logout: every token of the session.
CREATE FUNCTION public.end_session(hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ''
AS $$
  UPDATE public.refresh_tokens t SET revoked_at = now()
  WHERE t.revoked_at IS NULL
    AND t.session = (SELECT s.session FROM public.refresh_tokens s WHERE s.token_hash = hash)
$$;

GRANT EXECUTE ON FUNCTION
  public.start_session(bytea, interval), public.continue_session(bytea, bytea), public.end_session(bytea)
TO taskflow_app;
