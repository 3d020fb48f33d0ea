-- Athletes and their connection to Strava.
--
-- Migrations expand first and contract later: a release may only rely on what the migrations of
-- the release before have made, and removes what the release before has stopped using. A file that
-- has reached the main branch is never edited; changes are new files.
--
-- Row types are generated from these files (`cargo xtask codegen`). Comments become their
-- documentation, and a column whose comment begins with "Secret:" is hidden in Debug output.

CREATE TABLE athletes (
    athlete_id uuid PRIMARY KEY,
    display_name text NOT NULL,
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_synced_at timestamptz,
    CONSTRAINT athletes_display_name_length CHECK (char_length(display_name) BETWEEN 1 AND 200)
);
COMMENT ON TABLE athletes IS 'People whose activities are kept.';
COMMENT ON COLUMN athletes.athlete_id IS 'UUID version 7, given at registration.';
COMMENT ON COLUMN athletes.display_name IS 'Name to show.';
COMMENT ON COLUMN athletes.email IS 'E-mail address, unique without regard to case.';
COMMENT ON COLUMN athletes.created_at IS 'When the athlete registered.';
COMMENT ON COLUMN athletes.last_synced_at IS 'When a sync last ended well; null before the first.';

-- The name is matched by the code that answers "this address is known".
CREATE UNIQUE INDEX athletes_email_key ON athletes (lower(email));
-- Pages of athletes are read in this order.
CREATE INDEX athletes_page ON athletes (created_at, athlete_id);

CREATE TYPE connection_state AS ENUM ('connected', 'revoked');
COMMENT ON TYPE connection_state IS 'Whether Strava lets us read an athlete''s activities. An athlete who has never consented has no row.';

CREATE TABLE strava_connections (
    athlete_id uuid PRIMARY KEY REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    strava_athlete_id bigint NOT NULL,
    state connection_state NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT strava_connections_strava_athlete_id_key UNIQUE (strava_athlete_id)
);
COMMENT ON TABLE strava_connections IS 'Athletes who have consented, and what they consented to.';
COMMENT ON COLUMN strava_connections.athlete_id IS 'The athlete.';
COMMENT ON COLUMN strava_connections.strava_athlete_id IS 'Strava''s identifier of the athlete, who can be connected to one of ours only.';
COMMENT ON COLUMN strava_connections.state IS 'Whether the tokens work.';
COMMENT ON COLUMN strava_connections.scopes IS 'Scopes that the athlete granted.';
COMMENT ON COLUMN strava_connections.created_at IS 'When the athlete first consented.';
COMMENT ON COLUMN strava_connections.updated_at IS 'When the row last changed.';

-- The tokens stand apart from the connection, so that they can move to another keeper without a
-- change to anything else.
CREATE TABLE strava_tokens (
    athlete_id uuid PRIMARY KEY REFERENCES strava_connections (athlete_id) ON DELETE CASCADE,
    access_token text NOT NULL,
    refresh_token text NOT NULL,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE strava_tokens IS 'OAuth tokens of connected athletes.';
COMMENT ON COLUMN strava_tokens.athlete_id IS 'The athlete.';
COMMENT ON COLUMN strava_tokens.access_token IS 'Secret: bearer token for Strava''s API.';
COMMENT ON COLUMN strava_tokens.refresh_token IS 'Secret: exchanged for the next pair of tokens; dead once used.';
COMMENT ON COLUMN strava_tokens.expires_at IS 'When the access token ends.';
COMMENT ON COLUMN strava_tokens.version IS 'Counts exchanges, so that a stale writer is noticed.';
COMMENT ON COLUMN strava_tokens.updated_at IS 'When the tokens were last exchanged.';

CREATE TABLE consent_states (
    state_digest bytea PRIMARY KEY,
    athlete_id uuid NOT NULL REFERENCES athletes (athlete_id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE consent_states IS 'Consents that were begun. A row is deleted when its state is used: a state works once.';
COMMENT ON COLUMN consent_states.state_digest IS 'SHA-256 of the state, so that reading the table does not let anybody finish a consent.';
COMMENT ON COLUMN consent_states.athlete_id IS 'Who began it.';
COMMENT ON COLUMN consent_states.created_at IS 'When it was begun.';
COMMENT ON COLUMN consent_states.expires_at IS 'When the state stops working.';
CREATE INDEX consent_states_expiry ON consent_states (expires_at);
