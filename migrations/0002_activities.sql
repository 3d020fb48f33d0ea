-- What the athletes did.
--
-- Half of each page stays free: a re-sync rewrites rows in place (HOT updates), which is nearly
-- twice as fast as moving them to another page and touching the indexes.

CREATE TABLE activities (
    activity_id bigint PRIMARY KEY,
    athlete_id uuid NOT NULL REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    name text NOT NULL,
    sport_type text NOT NULL,
    start_time timestamptz NOT NULL,
    timezone text NOT NULL,
    moving_time_s integer NOT NULL,
    elapsed_time_s integer NOT NULL,
    distance_m double precision NOT NULL,
    elevation_gain_m double precision NOT NULL,
    average_speed_mps double precision,
    max_speed_mps double precision,
    average_watts double precision,
    kilojoules double precision,
    average_heartrate_bpm double precision,
    gear_id text,
    device_name text,
    kudos_count integer NOT NULL,
    trainer boolean NOT NULL,
    commute boolean NOT NULL,
    manual boolean NOT NULL,
    private boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE activities IS 'Activities as Strava''s activity list shows them.';
COMMENT ON COLUMN activities.activity_id IS 'Strava''s identifier, unique over all athletes.';
COMMENT ON COLUMN activities.athlete_id IS 'Whose it is. Never changes.';
COMMENT ON COLUMN activities.name IS 'Title.';
COMMENT ON COLUMN activities.sport_type IS 'Strava''s sport type; a text, because new values appear without notice.';
COMMENT ON COLUMN activities.start_time IS 'When it started.';
COMMENT ON COLUMN activities.timezone IS 'Time zone as Strava writes it.';
COMMENT ON COLUMN activities.moving_time_s IS 'Seconds in motion.';
COMMENT ON COLUMN activities.elapsed_time_s IS 'Seconds from start to end.';
COMMENT ON COLUMN activities.distance_m IS 'Distance in metres.';
COMMENT ON COLUMN activities.elevation_gain_m IS 'Elevation gained in metres.';
COMMENT ON COLUMN activities.average_speed_mps IS 'Average speed in metres per second.';
COMMENT ON COLUMN activities.max_speed_mps IS 'Highest speed in metres per second.';
COMMENT ON COLUMN activities.average_watts IS 'Average power in watts.';
COMMENT ON COLUMN activities.kilojoules IS 'Work in kilojoules.';
COMMENT ON COLUMN activities.average_heartrate_bpm IS 'Average heart rate in beats per minute.';
COMMENT ON COLUMN activities.gear_id IS 'Identifier of the gear.';
COMMENT ON COLUMN activities.device_name IS 'Name of the recording device.';
COMMENT ON COLUMN activities.kudos_count IS 'Number of kudos.';
COMMENT ON COLUMN activities.trainer IS 'Done on a trainer.';
COMMENT ON COLUMN activities.commute IS 'A commute.';
COMMENT ON COLUMN activities.manual IS 'Entered by hand.';
COMMENT ON COLUMN activities.private IS 'Visible to the athlete alone.';
COMMENT ON COLUMN activities.created_at IS 'When we first saw it.';
COMMENT ON COLUMN activities.updated_at IS 'When what we keep of it last changed.';

-- Pages of one athlete's activities, newest first.
CREATE INDEX activities_page ON activities (athlete_id, start_time DESC, activity_id DESC);
