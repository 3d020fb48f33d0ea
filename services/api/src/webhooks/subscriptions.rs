//! The subscription by which events come, of which Strava has one for each application.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;
use treaty_error::Error;
use url::Url;

use super::WebhooksError;
use super::strava::{Attempt, Listed, PushSubscriptions};
use crate::config::{StravaConfig, WebhooksConfig};
use crate::connections::Application;

/// A subscription at Strava.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Strava's identifier.
    pub id: i64,
    /// Scheme, host and port of the callback, whose path is a secret; empty when it is no address.
    pub callback_origin: String,
    /// Whether the callback is ours.
    pub ours: bool,
    /// When it was made, if Strava says so.
    pub created_at: Option<DateTime<Utc>>,
}

/// Manages the subscription.
#[derive(Clone)]
pub struct Subscriptions {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    pool: PgPool,
    strava: PushSubscriptions,
    callback: Url,
    verify_token: SecretString,
}

impl Subscriptions {
    /// As the configuration says; without a callback everything is refused.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(
        pool: PgPool,
        strava: &StravaConfig,
        webhooks: Option<&WebhooksConfig>,
        application: Application,
    ) -> Result<Self, Error> {
        let Some(webhooks) = webhooks else { return Ok(Self { inner: None }) };
        let inner = Inner {
            pool,
            strava: PushSubscriptions::new(strava, webhooks, application)?,
            callback: webhooks.callback_url()?,
            verify_token: webhooks.verify_token.clone(),
        };
        Ok(Self { inner: Some(Arc::new(inner)) })
    }

    /// Subscribes unless we are subscribed already, and tells whether it did.
    ///
    /// # Errors
    /// When the application is subscribed with another callback, or Strava fails.
    pub async fn ensure(&self) -> Result<(Subscription, bool), WebhooksError> {
        let inner = self.inner()?;
        if let Some(subscription) = inner.existing().await? {
            return Ok((subscription, false));
        }
        match inner.strava.create(&inner.callback, &inner.verify_token).await? {
            Attempt::Created(id) => {
                inner.know(id).await?;
                let origin = inner.callback.origin().ascii_serialization();
                let created_at = Some(Utc::now());
                Ok((Subscription { id, callback_origin: origin, ours: true, created_at }, true))
            }
            // Somebody else was faster, who may be one of us.
            Attempt::Exists => {
                let subscription = inner.existing().await?.ok_or_else(|| {
                    WebhooksError::Refused("a subscription exists, and is not listed".to_owned())
                })?;
                Ok((subscription, false))
            }
        }
    }

    /// What Strava says the application is subscribed to.
    ///
    /// # Errors
    /// When Strava fails.
    pub async fn list(&self) -> Result<Vec<Subscription>, WebhooksError> {
        let inner = self.inner()?;
        let listed = inner.strava.list().await?;
        Ok(listed.iter().map(|listed| inner.view(listed)).collect())
    }

    /// Ends a subscription; one that is not there has ended.
    ///
    /// # Errors
    /// When Strava fails.
    pub async fn delete(&self, id: i64) -> Result<(), WebhooksError> {
        let inner = self.inner()?;
        inner.strava.delete(id).await?;
        // Afterwards: until then its events are ours.
        sqlx::query!("DELETE FROM webhook_subscriptions WHERE subscription_id = $1", id)
            .execute(&inner.pool)
            .await?;
        Ok(())
    }

    fn inner(&self) -> Result<&Inner, WebhooksError> {
        self.inner.as_deref().ok_or(WebhooksError::NoCallback)
    }
}

impl Inner {
    /// The subscription that Strava has, which must be ours; it is known afterwards.
    async fn existing(&self) -> Result<Option<Subscription>, WebhooksError> {
        let listed = self.strava.list().await?;
        let Some(found) = listed.first().map(|listed| self.view(listed)) else { return Ok(None) };
        if !found.ours {
            return Err(WebhooksError::SubscribedElsewhere(found.id));
        }
        self.know(found.id).await?;
        Ok(Some(found))
    }

    /// Takes events of this subscription, and of no other any more.
    async fn know(&self, id: i64) -> Result<(), WebhooksError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("DELETE FROM webhook_subscriptions WHERE subscription_id <> $1", id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!(
            "INSERT INTO webhook_subscriptions (subscription_id) VALUES ($1) ON CONFLICT DO NOTHING",
            id,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    fn view(&self, listed: &Listed) -> Subscription {
        let callback = Url::parse(listed.callback_url.expose_secret()).ok();
        Subscription {
            id: listed.id,
            callback_origin: callback
                .as_ref()
                .map(|url| url.origin().ascii_serialization())
                .unwrap_or_default(),
            ours: callback.as_ref() == Some(&self.callback),
            created_at: listed.created_at,
        }
    }
}
