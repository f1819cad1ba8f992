/** Every SQL statement of `accounts.db`. */

const ACCOUNT = `
  SELECT a.name, a.role, a.origin, a.disabled, a.password_hash AS passwordHash, a.created_at AS createdAt,
    a.last_sign_in_at AS lastSignInAt, f.locked_until AS lockedUntil
  FROM account a LEFT JOIN sign_in_failure f ON f.name = a.name`;

export const ACCOUNTS = `${ACCOUNT} ORDER BY a.name`;

export const ACCOUNT_BY_NAME = `${ACCOUNT} WHERE a.name = ?`;

export const ACCOUNT_BY_SUBJECT = `${ACCOUNT} WHERE a.subject = ?`;

export const HAS_ACCOUNT = 'SELECT EXISTS (SELECT 1 FROM account) AS has';

export const INSERT_ACCOUNT = `
  INSERT INTO account (name, role, origin, password_hash, subject, created_at)
  VALUES (:name, :role, :origin, :passwordHash, :subject, :at) ON CONFLICT DO NOTHING`;

export const UPDATE_ACCOUNT = `
  UPDATE account SET role = coalesce(:role, role), disabled = coalesce(:disabled, disabled),
    password_hash = coalesce(:passwordHash, password_hash)
  WHERE name = :name`;

export const DELETE_ACCOUNT = 'DELETE FROM account WHERE name = ?';

/** Without any of these nobody could manage accounts any more. */
export const COUNT_OTHER_ADMINS = `
  SELECT count(*) AS n FROM account WHERE role = 'admin' AND disabled = 0 AND name <> ?`;

export const SIGNED_IN = 'UPDATE account SET last_sign_in_at = :at WHERE name = :name';

export const INSERT_SESSION = `
  INSERT INTO session (token_hash, account, created_at, seen_at, sealed_id_token)
  VALUES (:tokenHash, :account, :at, :at, :sealedIdToken)`;

export const SESSION = `
  SELECT a.name, a.role, a.origin, s.seen_at AS seenAt FROM session s JOIN account a ON a.name = s.account
  WHERE s.token_hash = :tokenHash AND a.disabled = 0 AND s.seen_at > :idleSince AND s.created_at > :bornSince`;

export const TOUCH_SESSION = 'UPDATE session SET seen_at = :at WHERE token_hash = :tokenHash';

export const DELETE_SESSION = `
  DELETE FROM session WHERE token_hash = ? RETURNING sealed_id_token AS sealedIdToken`;

export const DELETE_SESSIONS_OF = 'DELETE FROM session WHERE account = ?';

export const DELETE_OLD_SESSIONS =
  'DELETE FROM session WHERE seen_at <= :idleSince OR created_at <= :bornSince';

export const FAILURE = `
  SELECT failures, last_at AS lastAt, locked_until AS lockedUntil FROM sign_in_failure WHERE name = ?`;

export const SET_FAILURE = `
  INSERT INTO sign_in_failure (name, failures, last_at, locked_until) VALUES (:name, :failures, :at, :lockedUntil)
  ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at,
    locked_until = excluded.locked_until`;

export const FORGET_FAILURE = 'DELETE FROM sign_in_failure WHERE name = ?';

export const FORGET_OLD_FAILURES = 'DELETE FROM sign_in_failure WHERE last_at < ?';

const TOKEN = `
  SELECT token_id AS id, name, scope, created_by AS createdBy, created_at AS createdAt, expires_at AS expiresAt,
    last_used_at AS lastUsedAt FROM api_token`;

export const TOKENS = `${TOKEN} ORDER BY token_id`;

export const TOKEN_BY_HASH = `
  ${TOKEN} WHERE token_hash = :tokenHash AND (expires_at IS NULL OR expires_at > :at)`;

export const INSERT_TOKEN = `
  INSERT INTO api_token (name, token_hash, scope, created_by, created_at, expires_at)
  VALUES (:name, :tokenHash, :scope, :createdBy, :at, :expiresAt) ON CONFLICT DO NOTHING
  RETURNING token_id AS id`;

export const TOUCH_TOKEN = 'UPDATE api_token SET last_used_at = :at WHERE token_id = :id';

export const DELETE_TOKEN = 'DELETE FROM api_token WHERE token_id = ? RETURNING name';

export const SET_SETUP_LINK = `
  INSERT INTO setup_link (id, token_hash, expires_at) VALUES (1, :tokenHash, :expiresAt)
  ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`;

/** Used once: the row is gone with its first use. */
export const USE_SETUP_LINK = `
  DELETE FROM setup_link WHERE token_hash = :tokenHash AND expires_at > :at RETURNING id`;

export const INSERT_AUDIT = `
  INSERT INTO audit (at, actor, action, subject, detail) VALUES (:at, :actor, :action, :subject, :detail)`;

export const AUDIT_PAGE = `
  SELECT audit_id AS id, at, actor, action, subject, detail FROM audit
  WHERE audit_id < :before ORDER BY audit_id DESC LIMIT :limit`;
