-- Strava's quota, which all processes share.

-- One row. It is replaced by whoever read its latest version, never locked: a process that stops in between holds up
-- nobody. The limits are those of a new application, until Strava has told others.
CREATE TABLE strava_quota (
    only_row boolean PRIMARY KEY DEFAULT true,
    version bigint NOT NULL DEFAULT 0,
    window_started_at timestamptz NOT NULL DEFAULT 'epoch',
    window_limit bigint NOT NULL DEFAULT 200,
    window_used bigint NOT NULL DEFAULT 0,
    read_window_limit bigint NOT NULL DEFAULT 100,
    read_window_used bigint NOT NULL DEFAULT 0,
    day_started_at timestamptz NOT NULL DEFAULT 'epoch',
    day_limit bigint NOT NULL DEFAULT 2000,
    day_used bigint NOT NULL DEFAULT 0,
    read_day_limit bigint NOT NULL DEFAULT 1000,
    read_day_used bigint NOT NULL DEFAULT 0,
    answered boolean NOT NULL DEFAULT false,
    probed_until timestamptz,
    refused boolean NOT NULL DEFAULT false,
    closed_until timestamptz,
    CONSTRAINT strava_quota_one_row CHECK (only_row)
);
COMMENT ON TABLE strava_quota IS 'What is left of Strava''s quota in the current quarter of an hour and day; one row.';
COMMENT ON COLUMN strava_quota.only_row IS 'Always true.';
COMMENT ON COLUMN strava_quota.version IS 'Counts changes, so that a stale writer is noticed.';
COMMENT ON COLUMN strava_quota.window_started_at IS 'When the quarter of an hour began.';
COMMENT ON COLUMN strava_quota.window_limit IS 'Calls that Strava allows in a quarter of an hour.';
COMMENT ON COLUMN strava_quota.window_used IS 'Calls reserved in it, or counted by Strava where that is more.';
COMMENT ON COLUMN strava_quota.read_window_limit IS 'Reads that Strava allows in a quarter of an hour.';
COMMENT ON COLUMN strava_quota.read_window_used IS 'Reads reserved in it, or counted by Strava where that is more.';
COMMENT ON COLUMN strava_quota.day_started_at IS 'When the day began, in UTC.';
COMMENT ON COLUMN strava_quota.day_limit IS 'Calls that Strava allows in a day.';
COMMENT ON COLUMN strava_quota.day_used IS 'Calls reserved in it, or counted by Strava where that is more.';
COMMENT ON COLUMN strava_quota.read_day_limit IS 'Reads that Strava allows in a day.';
COMMENT ON COLUMN strava_quota.read_day_used IS 'Reads reserved in it, or counted by Strava where that is more.';
COMMENT ON COLUMN strava_quota.answered IS 'Whether Strava has answered a call in this quarter of an hour.';
COMMENT ON COLUMN strava_quota.probed_until IS 'Until when the answer to the first call of this quarter of an hour is awaited.';
COMMENT ON COLUMN strava_quota.refused IS 'Whether the last that was heard of Strava is a refusal.';
COMMENT ON COLUMN strava_quota.closed_until IS 'Until when nobody calls, because Strava refused a call.';
