-- Accounts: passwords where the application cannot read them (S0-43), and the few things that it may do with them.
CREATE TABLE user_credentials (
  user_id integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  -- bcrypt and nothing else: a password in clear does not fit.
  password_hash text NOT NULL CHECK (password_hash ~ '^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$'),
  changed_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE user_credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY user_credentials_nobody ON user_credentials FOR ALL TO taskflow_app, taskflow_read USING (false);
REVOKE ALL ON user_credentials FROM taskflow_app, taskflow_read;
GRANT SELECT ON user_credentials TO taskflow_backup;
-- That a password changed, never what it is.
CREATE TRIGGER user_credentials_record_change AFTER INSERT OR UPDATE OR DELETE ON user_credentials
  FOR EACH ROW EXECUTE FUNCTION private.record_change('password_hash');

-- Whether the transaction is for somebody at the door: claims {"role": "login", "email": "…"}. No signed token carries that role,
-- so nobody who is logged in learns another's hash.
CREATE FUNCTION private.is_at_the_door(address text) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT coalesce(private.claim('role') = 'login' AND private.claim('email') = address, false) $$;

-- What a login is checked against; no row for an unknown address or other claims.
CREATE FUNCTION public.login(address text) RETURNS TABLE (sub text, role text, password_hash text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  RETURN QUERY
    SELECT u.open_id, u.role, c.password_hash
    FROM public.users u JOIN public.user_credentials c ON c.user_id = u.id
    WHERE u.email = address AND private.is_at_the_door(address);
END
$$;

-- A new account with a team of its own and a project in it, so that there is a place for its tasks. Gives its open_id.
-- unique_violation: the address has an account.
CREATE FUNCTION public.register(address text, user_name text, hash text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  me public.users;
  my_team integer;
BEGIN
  IF NOT private.is_at_the_door(address) THEN
    RAISE EXCEPTION 'register: the claims are not for this address' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO public.users (email, name) VALUES (address, user_name) RETURNING * INTO me;
  INSERT INTO public.user_credentials (user_id, password_hash) VALUES (me.id, hash);
  INSERT INTO public.teams (name, owner_id) VALUES (user_name, me.id) RETURNING id INTO my_team;
  INSERT INTO public.team_members (team_id, user_id, role) VALUES (my_team, me.id, 'lead');
  INSERT INTO public.projects (team_id, name) VALUES (my_team, 'Inbox');
  RETURN me.open_id;
END
$$;

-- Accounts with their addresses: one's own; for an admin all.
CREATE FUNCTION public.accounts()
RETURNS TABLE (id integer, open_id text, name text, email text, role text, last_active_at timestamptz, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  RETURN QUERY
    SELECT u.id, u.open_id, u.name, u.email, u.role, u.last_active_at, u.created_at
    FROM public.users u WHERE u.id = ANY (private.reachable_user_ids());
END
$$;

-- Adds the owner of an address to a team that one manages. False: the address has no account.
CREATE FUNCTION public.add_member(to_team integer, address text, member_role text DEFAULT 'member') RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
  member integer;
BEGIN
  IF NOT (to_team = ANY (private.managed_team_ids())) THEN
    RAISE EXCEPTION 'add_member: team % is not yours to manage', to_team USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT u.id INTO member FROM public.users u WHERE u.email = address;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO public.team_members (team_id, user_id, role) VALUES (to_team, member, member_role)
  ON CONFLICT (team_id, user_id) DO NOTHING;
  RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION
  public.login(text), public.register(text, text, text), public.accounts(), public.add_member(integer, text, text)
TO taskflow_app;
