# What the api may do: read Strava's credentials, and keep the tokens of athletes, each version of
# which it may write over and all of which it may delete.
path "secret/data/strava-credentials"        { capabilities = ["read"] }
path "secret/data/stravasync/athletes/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/stravasync/athletes/*" { capabilities = ["delete"] }
