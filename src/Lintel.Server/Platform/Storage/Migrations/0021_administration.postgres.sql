-- Since when an account is being deleted with all its data: from that moment on it is nobody's, and what is left of it is removed bit by bit.
ALTER TABLE account ADD COLUMN deleted_at BIGINT;

CREATE INDEX account_deleted ON account (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX account_admin ON account (id) WHERE role = 'admin';

-- Hashes that came from another system, of which each sign-in must know the most expensive kind.
CREATE INDEX account_imported ON account (password_hash) WHERE substr(password_hash, 1, 2) = '$2';

-- Revoked sessions and keys of accounts that were deleted, for as long as something that was issued for them may still be good.
CREATE TABLE ended_credential (
    id               UUID    NOT NULL PRIMARY KEY,
    revoked_at       BIGINT  NOT NULL
);

CREATE INDEX ended_credential_age ON ended_credential (revoked_at);
