-- Creates the logins. deploy/postgres/grants.sql grants the two roles their privileges after the migration.

\set password `cat /run/secrets/database_password`
\set auditor_password `cat /run/secrets/auditor_password`

CREATE ROLE holdfast_app NOLOGIN;
CREATE ROLE holdfast_auditor NOLOGIN;

CREATE ROLE holdfast LOGIN PASSWORD :'password' IN ROLE holdfast_app;
CREATE ROLE auditor LOGIN PASSWORD :'auditor_password' IN ROLE holdfast_auditor;
