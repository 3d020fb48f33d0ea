-- Tokens live in the secret store from here on. The api moves those that are in strava_tokens when it
-- starts, because the store is none that Postgres could write to.

ALTER TABLE strava_connections ADD COLUMN tokens_id uuid;
COMMENT ON COLUMN strava_connections.tokens_id IS 'Which tokens in the secret store are the newest, so that whoever remembers some knows whether they are these. None before they are moved there, and when there are none.';
COMMENT ON TABLE strava_tokens IS 'OAuth tokens that have not been moved to the secret store; empty since.';
-- Whose tokens are still to be moved.
CREATE INDEX strava_connections_to_move ON strava_connections (athlete_id) WHERE tokens_id IS NULL;
