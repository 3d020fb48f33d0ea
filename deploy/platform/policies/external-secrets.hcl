# What external-secrets may read: the secrets of the services and of the platform, and no more.
# Strava's credentials and the athletes' tokens are not among them: they are the api's.
path "secret/data/strava-webhook"      { capabilities = ["read"] }
path "secret/data/stravasync-db"       { capabilities = ["read"] }
path "secret/data/stravasync-tokens"   { capabilities = ["read"] }
path "secret/data/stravasync-nats"     { capabilities = ["read"] }
path "secret/data/temporal-db"         { capabilities = ["read"] }
path "secret/data/registry"            { capabilities = ["read"] }
