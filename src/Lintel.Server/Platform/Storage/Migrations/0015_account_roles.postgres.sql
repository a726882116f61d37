-- What an account may do, and whether its address is known to be its owner's.
ALTER TABLE account ADD COLUMN role TEXT NOT NULL DEFAULT 'user';
ALTER TABLE account ADD COLUMN email_verified_at BIGINT;

-- How a session's person proved who they are (words between spaces, such as pwd totp), and when they did so last.
ALTER TABLE session ADD COLUMN auth_methods TEXT NOT NULL DEFAULT 'pwd';
ALTER TABLE session ADD COLUMN authenticated_at BIGINT NOT NULL DEFAULT 0;
UPDATE session SET authenticated_at = created_at;
