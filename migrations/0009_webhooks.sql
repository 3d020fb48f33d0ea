-- What Strava tells by its webhook, until it is done, and what it said is gone.

CREATE TABLE webhook_subscriptions (
    subscription_id bigint PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE webhook_subscriptions IS 'Subscriptions of ours at Strava, which has one for each application. Events of others are ignored.';
COMMENT ON COLUMN webhook_subscriptions.subscription_id IS 'Strava''s identifier of the subscription.';
COMMENT ON COLUMN webhook_subscriptions.created_at IS 'When we learned of it.';

CREATE TYPE webhook_object AS ENUM ('activity', 'athlete');
COMMENT ON TYPE webhook_object IS 'What an event is about.';
CREATE TYPE webhook_aspect AS ENUM ('create', 'update', 'delete');
COMMENT ON TYPE webhook_aspect IS 'What happened to it.';

CREATE TABLE webhook_events (
    event_digest bytea PRIMARY KEY,
    athlete_id uuid NOT NULL REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    object_type webhook_object NOT NULL,
    object_id bigint NOT NULL,
    aspect_type webhook_aspect NOT NULL,
    deauthorized boolean NOT NULL,
    event_time timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    job_promised_at timestamptz,
    processed_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text
);
COMMENT ON TABLE webhook_events IS 'Events that Strava''s webhook told, of athletes whom we know. They are hints: nobody signs them.';
COMMENT ON COLUMN webhook_events.event_digest IS 'SHA-256 of all that the event says: Strava sends an event up to three times.';
COMMENT ON COLUMN webhook_events.athlete_id IS 'Whose object it is.';
COMMENT ON COLUMN webhook_events.object_type IS 'What it is about.';
COMMENT ON COLUMN webhook_events.object_id IS 'Strava''s identifier of the activity or athlete.';
COMMENT ON COLUMN webhook_events.aspect_type IS 'What happened.';
COMMENT ON COLUMN webhook_events.deauthorized IS 'Whether it says that the athlete has withdrawn the consent.';
COMMENT ON COLUMN webhook_events.event_time IS 'When it happened, as Strava says.';
COMMENT ON COLUMN webhook_events.received_at IS 'When it came to us.';
COMMENT ON COLUMN webhook_events.job_promised_at IS 'When a job was promised that should bring the activity; looked after until the activity is there.';
COMMENT ON COLUMN webhook_events.processed_at IS 'When nothing was left to do; null until then.';
COMMENT ON COLUMN webhook_events.attempts IS 'Attempts that failed.';
COMMENT ON COLUMN webhook_events.next_attempt_at IS 'Not to be looked at before this time.';
COMMENT ON COLUMN webhook_events.last_error IS 'Why the last attempt failed.';

-- Which athlete is next.
CREATE INDEX webhook_events_due ON webhook_events (next_attempt_at) WHERE processed_at IS NULL;
-- All that waits of one athlete, which is done together.
CREATE INDEX webhook_events_athlete ON webhook_events (athlete_id) WHERE processed_at IS NULL;
-- Old processed rows are deleted by age.
CREATE INDEX webhook_events_processed ON webhook_events (processed_at) WHERE processed_at IS NOT NULL;

-- Strava's list may have been read before the activity was deleted, and be written after that.
CREATE TABLE deleted_activities (
    athlete_id uuid NOT NULL REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    activity_id bigint NOT NULL,
    event_time timestamptz NOT NULL,
    deleted_at timestamptz NOT NULL,
    PRIMARY KEY (athlete_id, activity_id)
);
COMMENT ON TABLE deleted_activities IS 'Activities that Strava said are deleted. A walk through the list that began before is not believed about them.';
COMMENT ON COLUMN deleted_activities.athlete_id IS 'Whose it was.';
COMMENT ON COLUMN deleted_activities.activity_id IS 'Strava''s identifier.';
COMMENT ON COLUMN deleted_activities.event_time IS 'When it was deleted, as Strava says.';
COMMENT ON COLUMN deleted_activities.deleted_at IS 'When we deleted it.';
-- Old rows are deleted by age.
CREATE INDEX deleted_activities_age ON deleted_activities (deleted_at);
