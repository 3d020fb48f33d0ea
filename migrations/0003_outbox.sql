-- Messages that were promised in the transaction that made them true, until the broker has them.

CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    subject text NOT NULL,
    message_id text NOT NULL,
    event text NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text
);
COMMENT ON TABLE outbox IS 'Messages to publish. Appended in the transaction that they belong to; the relay publishes them.';
COMMENT ON COLUMN outbox.id IS 'UUID version 7: messages are published in about this order.';
COMMENT ON COLUMN outbox.subject IS 'NATS subject.';
COMMENT ON COLUMN outbox.message_id IS 'Deduplication key: publishing it again changes nothing.';
COMMENT ON COLUMN outbox.event IS 'Full protobuf name of the message.';
COMMENT ON COLUMN outbox.payload IS 'The encoded message.';
COMMENT ON COLUMN outbox.created_at IS 'When it was promised.';
COMMENT ON COLUMN outbox.published_at IS 'When the broker acknowledged it; null until then.';
COMMENT ON COLUMN outbox.attempts IS 'Attempts that failed.';
COMMENT ON COLUMN outbox.next_attempt_at IS 'Not to be tried before this time.';
COMMENT ON COLUMN outbox.last_error IS 'Why the last attempt failed.';

CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
-- Old published rows are deleted by age.
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
