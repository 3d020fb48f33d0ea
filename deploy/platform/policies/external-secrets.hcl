# What external-secrets may read: the secrets of the services and of the platform, and no more.
# The athletes' tokens are not among them.
path "secret/data/strava-credentials"  { capabilities = ["read"] }
path "secret/data/strava-webhook"      { capabilities = ["read"] }
path "secret/data/stravasync-db"       { capabilities = ["read"] }
path "secret/data/stravasync-tokens"   { capabilities = ["read"] }
path "secret/data/stravasync-nats"     { capabilities = ["read"] }
path "secret/data/temporal-db"         { capabilities = ["read"] }
path "secret/data/registry"            { capabilities = ["read"] }
