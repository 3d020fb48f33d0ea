-- How syncs ended.

CREATE TYPE sync_outcome AS ENUM ('succeeded', 'needs_consent');
COMMENT ON TYPE sync_outcome IS 'How a sync ended.';

CREATE TABLE sync_runs (
    athlete_id uuid NOT NULL REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    request_id text NOT NULL,
    outcome sync_outcome NOT NULL,
    activities integer NOT NULL,
    inserted integer NOT NULL,
    ended_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (athlete_id, request_id)
);
COMMENT ON TABLE sync_runs IS 'Syncs that have ended, one row for each job.';
COMMENT ON COLUMN sync_runs.athlete_id IS 'Whose activities were fetched.';
COMMENT ON COLUMN sync_runs.request_id IS 'What asked for it.';
COMMENT ON COLUMN sync_runs.outcome IS 'How it ended.';
COMMENT ON COLUMN sync_runs.activities IS 'Activities that Strava listed.';
COMMENT ON COLUMN sync_runs.inserted IS 'Activities that were new to us.';
COMMENT ON COLUMN sync_runs.ended_at IS 'When it ended.';
COMMENT ON COLUMN sync_runs.recorded_at IS 'When we learned of it.';
