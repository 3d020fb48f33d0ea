-- The trace that promised a message, so that what the message causes goes on in it. None where
-- nothing was traced.
ALTER TABLE outbox ADD COLUMN traceparent text;

COMMENT ON COLUMN outbox.traceparent IS 'W3C trace context of what promised the message';
