-- One sync of an athlete at a time, which goes on where it was interrupted.
--
-- Of athletes that were synced before there is no row yet: their next sync walks through the whole
-- list once, which gives their activities a generation.

CREATE TABLE sync_states (
    athlete_id uuid PRIMARY KEY REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    lease bigint NOT NULL DEFAULT 0,
    lease_holder text,
    lease_attempt bigint NOT NULL DEFAULT 0,
    lease_request_id text,
    lease_reason smallint NOT NULL DEFAULT 0,
    lease_requested_at timestamptz,
    lease_began_at timestamptz,
    lease_expires_at timestamptz,
    walk_full boolean,
    walk_request_id text,
    walk_began_at timestamptz,
    walk_after bigint,
    walk_before bigint,
    walk_page integer NOT NULL DEFAULT 1,
    walk_listed integer NOT NULL DEFAULT 0,
    walk_unusable integer NOT NULL DEFAULT 0,
    walk_inserted integer NOT NULL DEFAULT 0,
    generation integer NOT NULL DEFAULT 0,
    synced_up_to timestamptz,
    last_full_walk_at timestamptz,
    listed_nothing boolean NOT NULL DEFAULT false,
    wanted_at timestamptz,
    wanted_reason smallint NOT NULL DEFAULT 0,
    wanted_full boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
COMMENT ON TABLE sync_states IS 'How far an athlete''s activities are known, and who syncs them. Whoever writes activities locks the athlete''s row first.';
COMMENT ON COLUMN sync_states.athlete_id IS 'The athlete.';
COMMENT ON COLUMN sync_states.lease IS 'The newest lease; grows with each sync. Only what comes with it is written.';
COMMENT ON COLUMN sync_states.lease_holder IS 'The message whose handling holds the lease; null when nobody does.';
COMMENT ON COLUMN sync_states.lease_attempt IS 'Which delivery of that message holds it.';
COMMENT ON COLUMN sync_states.lease_request_id IS 'What asked for the sync that holds the lease.';
COMMENT ON COLUMN sync_states.lease_reason IS 'Why it was asked for: a number of the contract''s SyncReason.';
COMMENT ON COLUMN sync_states.lease_requested_at IS 'When it was asked for.';
COMMENT ON COLUMN sync_states.lease_began_at IS 'When it got the lease.';
COMMENT ON COLUMN sync_states.lease_expires_at IS 'When another sync may take over.';
COMMENT ON COLUMN sync_states.walk_full IS 'Whether the walk through Strava''s list that is under way is one through all of it; null when none is.';
COMMENT ON COLUMN sync_states.walk_request_id IS 'What asked for the walk: another sync than the one that goes on with it, when that one was given up.';
COMMENT ON COLUMN sync_states.walk_began_at IS 'When the walk began. What came to Strava later may be missing in it.';
COMMENT ON COLUMN sync_states.walk_after IS 'Where to read on: only activities after this second since 1970.';
COMMENT ON COLUMN sync_states.walk_before IS 'Where to read on: only activities before this second since 1970.';
COMMENT ON COLUMN sync_states.walk_page IS 'Where to read on: the page below these bounds.';
COMMENT ON COLUMN sync_states.walk_listed IS 'Activities that Strava has listed in the walk so far.';
COMMENT ON COLUMN sync_states.walk_unusable IS 'Of these, activities that cannot be used. Any of our rows may be one of them, so such a walk deletes nothing.';
COMMENT ON COLUMN sync_states.walk_inserted IS 'Of these, activities that were new to us.';
COMMENT ON COLUMN sync_states.generation IS 'Counts walks through the whole list, the one under way included.';
COMMENT ON COLUMN sync_states.synced_up_to IS 'When the last walk that came to its end began.';
COMMENT ON COLUMN sync_states.last_full_walk_at IS 'When the last walk through the whole list that came to its end began.';
COMMENT ON COLUMN sync_states.listed_nothing IS 'Whether that walk found nothing at all where we have activities. Only a second one is believed.';
COMMENT ON COLUMN sync_states.wanted_at IS 'When the newest of the jobs was asked for that were folded into the sync that runs; null when none was.';
COMMENT ON COLUMN sync_states.wanted_reason IS 'Why: the most urgent of their reasons, a number of the contract''s SyncReason.';
COMMENT ON COLUMN sync_states.wanted_full IS 'Whether one of them asked for the whole list.';

-- Folded jobs whose sync never ended are looked for by age.
CREATE INDEX sync_states_wanted ON sync_states (wanted_at) WHERE wanted_at IS NOT NULL;

-- A constant default rewrites nothing.
ALTER TABLE activities ADD COLUMN generation integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN activities.generation IS 'The last walk through the athlete''s whole list that had it; see sync_states.generation.';

ALTER TABLE sync_runs ADD COLUMN deleted integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN sync_runs.deleted IS 'Activities deleted because Strava does not list them any more.';
ALTER TABLE sync_runs ADD COLUMN follow_up boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sync_runs.follow_up IS 'Whether another sync was promised when it ended.';
