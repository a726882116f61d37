-- Where the stream stood when its present writer began: whether that one has written anything.
ALTER TABLE stream ADD COLUMN fence_seq BIGINT NOT NULL DEFAULT 1;
