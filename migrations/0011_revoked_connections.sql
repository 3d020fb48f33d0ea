-- Consents that Strava has refused for long are looked for every few minutes. By athlete and not by
-- age: with the age in an index, each refresh of a token would have to touch all indexes of its row.

CREATE INDEX strava_connections_revoked ON strava_connections (athlete_id) WHERE state = 'revoked';
