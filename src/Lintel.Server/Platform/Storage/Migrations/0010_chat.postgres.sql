-- Rooms: each is a stream, whose number is the room's too.
CREATE TABLE room (
    stream_id        BIGINT  NOT NULL PRIMARY KEY REFERENCES stream (id),
    name             TEXT    NOT NULL,
    name_key         TEXT    NOT NULL UNIQUE, -- the name in lower case, which it is compared by
    owner_id         BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    is_private       BOOLEAN NOT NULL,
    presence_version BIGINT  NOT NULL DEFAULT 0,
    created_at       BIGINT  NOT NULL
);

CREATE INDEX room_by_owner ON room (owner_id);

-- Who may enter a private room; its owner is one of them.
CREATE TABLE room_member (
    room_id          BIGINT  NOT NULL REFERENCES room (stream_id) ON DELETE CASCADE,
    user_id          BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    joined_at        BIGINT  NOT NULL,
    PRIMARY KEY (room_id, user_id)
);

CREATE INDEX room_member_by_user ON room_member (user_id, room_id);

CREATE TABLE room_mute (
    room_id          BIGINT  NOT NULL REFERENCES room (stream_id) ON DELETE CASCADE,
    user_id          BIGINT  NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    until            BIGINT  NOT NULL,
    PRIMARY KEY (room_id, user_id)
);

-- Whose a display name is. It stays so while one of the user's sockets has it.
CREATE TABLE chat_name (
    name_key         TEXT    NOT NULL PRIMARY KEY,
    user_id          BIGINT  NOT NULL
);

-- The open sockets of the lobby and of rooms. Those of a node that is no more count no more.
CREATE TABLE chat_socket (
    id               UUID    NOT NULL PRIMARY KEY,
    node_id          UUID    NOT NULL,
    room_id          BIGINT  NOT NULL, -- the stream; the lobby's has no room
    user_id          BIGINT  NOT NULL,
    name             TEXT    NOT NULL,
    name_key         TEXT    NOT NULL
);

CREATE INDEX chat_socket_by_room ON chat_socket (room_id, user_id);
CREATE INDEX chat_socket_by_name ON chat_socket (name_key);
CREATE INDEX chat_socket_by_node ON chat_socket (node_id);
