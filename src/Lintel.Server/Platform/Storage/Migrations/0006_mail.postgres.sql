-- Mail that waits to be sent. A job of kind mail sends its owner's, oldest first, and deletes each message once it was handed over.
CREATE TABLE mail (
    id               UUID    NOT NULL PRIMARY KEY,
    owner_id         BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    recipient        TEXT    NOT NULL,
    template         TEXT    NOT NULL,
    fields           TEXT    NOT NULL,
    created_at       BIGINT  NOT NULL
);

CREATE INDEX mail_by_owner ON mail (owner_id, id);
CREATE INDEX mail_age ON mail (created_at);
