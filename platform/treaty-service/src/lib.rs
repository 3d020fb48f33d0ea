//! What every service process needs: configuration, logs, shutdown, health.
