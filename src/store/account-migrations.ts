/** The schema of `accounts.db`, oldest first; the list only grows. Times are milliseconds since the epoch. */
export const ACCOUNT_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    origin TEXT NOT NULL CHECK (origin IN ('local', 'oidc')),
    -- argon2id in PHC form; NULL where an identity provider knows the password.
    password_hash TEXT,
    -- Issuer and subject of the identity provider.
    subject TEXT UNIQUE,
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    last_sign_in_at INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Of secrets only their SHA-256 is kept, in hex: who reads this file cannot sign in with it.
  CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_account ON session (account);

  CREATE TABLE api_token (
    token_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    token_hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'operate', 'admin')),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
  ) STRICT;

  -- By the name that was given, whether there is such an account or not.
  CREATE TABLE sign_in_failure (
    name TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    locked_until INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE setup_link (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit is only added to'); END;
  `,
  `
  -- What the identity provider is shown at sign-out, encrypted: the key comes from the session's secret, which is not here.
  ALTER TABLE session ADD COLUMN sealed_id_token BLOB;
  `,
];
