-- Bytes of all events that the stream has ever had: what a job's output counts for.
ALTER TABLE stream ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;

UPDATE stream SET bytes = (SELECT coalesce(sum(length(data)), 0) FROM event WHERE stream_id = stream.id);

-- The input of a finished job is of no more use to anybody.
DELETE FROM job_input WHERE job_id IN (SELECT id FROM job WHERE completed_at IS NOT NULL);
