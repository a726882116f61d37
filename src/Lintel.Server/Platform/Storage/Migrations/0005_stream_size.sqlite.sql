-- Bytes of all events that the stream has ever had: what a job's output counts for.
ALTER TABLE stream ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;

UPDATE stream SET bytes = (SELECT coalesce(sum(length(data)), 0) FROM event WHERE stream_id = stream.id);
