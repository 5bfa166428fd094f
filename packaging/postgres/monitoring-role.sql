-- The role that check_postgres logs in with: it sees what everybody does and can read no table.
--
--     psql -U postgres -d kwanza -f monitoring-role.sql
--
-- As a superuser, once in every database that is to be checked; to run it again changes nothing.
-- Afterwards set a password, if the role does not log in by certificate or peer:
--
--     psql -U postgres -c '\password monitoring'
--
-- and let it in by a line of pg_hba.conf:
--
--     hostssl  all  monitoring  10.0.0.5/32  scram-sha-256

\set ON_ERROR_STOP on

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitoring') THEN
        CREATE ROLE monitoring LOGIN;
    END IF;
END
$$;

-- The check uses one connection; a few, should a run hang and the next one begin.
ALTER ROLE monitoring NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 5;
-- A second line of defence: the check asks for both itself.
ALTER ROLE monitoring SET default_transaction_read_only = on;
ALTER ROLE monitoring SET statement_timeout = '30s';

-- Sessions and statements of others, all settings, sizes, and the lists of WAL files and of the archiver.
-- Statements can hold data and passwords; the check shows them only with --show-queries.
GRANT pg_monitor TO monitoring;

DO $$
DECLARE
    item record;
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO monitoring', current_database());

    -- Version 11 has no list of the archiver's files that pg_monitor may see. Version 10 shows it to superusers alone,
    -- and the check goes without it there.
    IF current_setting('server_version_num')::int BETWEEN 110000 AND 119999 THEN
        GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO monitoring;
    END IF;

    -- How far a sequence has come is data, of which pg_monitor sees none. SELECT on a sequence shows its counter alone.
    -- The owner of a later sequence is bound by default privileges, which are those of the present owners.
    FOR item IN
        SELECT DISTINCT n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    LOOP
        EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO monitoring', item.schema);
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON SEQUENCES TO monitoring', item.owner);
    END LOOP;
END
$$;
