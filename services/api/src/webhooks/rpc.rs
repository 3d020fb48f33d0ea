//! Subscriptions as the contract shows them.

use api_port::webhooks_v1 as proto;
use async_trait::async_trait;
use treaty_error::Result;
use treaty_rpc::Context;

use super::{Subscription, Subscriptions};
use crate::convert;

/// Answers `WebhooksService`.
pub struct WebhooksRpc {
    subscriptions: Subscriptions,
}

impl WebhooksRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(subscriptions: Subscriptions) -> Self {
        Self { subscriptions }
    }
}

#[async_trait]
impl proto::WebhooksService for WebhooksRpc {
    async fn ensure_subscription(
        &self,
        _context: &Context,
        _request: proto::EnsureSubscriptionRequest,
    ) -> Result<proto::EnsureSubscriptionResponse> {
        let (subscription, created) = self.subscriptions.ensure().await?;
        let subscription = Some(message(subscription));
        Ok(proto::EnsureSubscriptionResponse { subscription, created })
    }

    async fn list_subscriptions(
        &self,
        _context: &Context,
        _request: proto::ListSubscriptionsRequest,
    ) -> Result<proto::ListSubscriptionsResponse> {
        let subscriptions = self.subscriptions.list().await?.into_iter().map(message).collect();
        Ok(proto::ListSubscriptionsResponse { subscriptions })
    }

    async fn delete_subscription(
        &self,
        _context: &Context,
        request: proto::DeleteSubscriptionRequest,
    ) -> Result<proto::DeleteSubscriptionResponse> {
        self.subscriptions.delete(request.subscription_id).await?;
        Ok(proto::DeleteSubscriptionResponse {})
    }
}

fn message(subscription: Subscription) -> proto::Subscription {
    proto::Subscription {
        subscription_id: subscription.id,
        callback_origin: subscription.callback_origin,
        ours: subscription.ours,
        create_time: subscription.created_at.map(convert::timestamp),
    }
}
