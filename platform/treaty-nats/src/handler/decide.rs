//! From tries to an answer.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::answer::Answer;
use super::attempt::Tried;
use super::load::InHand;
use super::order::{Granted, Place, Turn};
use super::work::Worker;
use super::{Delivery, Handle};
use crate::Event;

impl<E, H> Worker<E, H>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    /// Waits until a message is the first of its key; otherwise the wait after which it is
    /// to come again.
    pub(super) async fn turn(&self, place: Place, in_hand: &InHand) -> Result<Turn, Duration> {
        let receiver = match place {
            Place::First(turn) => return Ok(turn),
            Place::Behind(receiver) => receiver,
        };
        let _parked = in_hand.park();
        tokio::select! {
            biased;
            () = self.stops.interrupt.cancelled() => Err(Duration::ZERO),
            granted = receiver => match granted {
                Ok(Granted::Turn(turn)) => Ok(turn),
                Ok(Granted::GivenBack(wait)) => Err(wait),
                // Not before the whole handler ends.
                Err(_) => Err(Duration::ZERO),
            },
        }
    }

    /// One try; a retry is the server's affair.
    pub(super) async fn decide(&self, delivery: &Delivery, payload: &Bytes) -> Answer {
        match self.attempt(delivery, payload).await {
            Tried::Done(answer) => answer,
            Tried::Again(wait) => Answer::Retry(wait),
            Tried::Interrupted => self.give_back(delivery, payload, Duration::ZERO).await,
            Tried::SetAside(error) => {
                let stored = self.set_aside(delivery, payload.clone(), &error).await;
                stored.unwrap_or_else(Answer::Retry)
            }
        }
    }

    /// Tries until something has become of the message, so that no later one of its key
    /// overtakes it. The turn is kept until the server is answered.
    pub(super) async fn decide_in_order(
        &self,
        delivery: &mut Delivery,
        payload: &Bytes,
        in_hand: &InHand,
        turn: Turn,
    ) -> (Answer, Option<Turn>) {
        let mut failed_for_good = None;
        loop {
            let tried = match failed_for_good.take() {
                Some(error) => Tried::SetAside(error),
                None => self.attempt(delivery, payload).await,
            };
            let wait = match tried {
                Tried::Done(answer) => return (answer, Some(turn)),
                Tried::Interrupted => {
                    turn.give_back(Duration::ZERO);
                    return (self.give_back(delivery, payload, Duration::ZERO).await, None);
                }
                Tried::Again(wait) => {
                    delivery.attempt += 1;
                    delivery.deliveries += 1;
                    wait
                }
                Tried::SetAside(error) => {
                    match self.set_aside(delivery, payload.clone(), &error).await {
                        Ok(answer) => return (answer, Some(turn)),
                        Err(wait) => {
                            failed_for_good = Some(error);
                            wait
                        }
                    }
                }
            };
            let again = Instant::now() + wait;
            let _parked = in_hand.park();
            tokio::select! {
                () = tokio::time::sleep_until(again) => {}
                () = self.stops.draining.cancelled() => {
                    let wait = again.saturating_duration_since(Instant::now());
                    turn.give_back(wait);
                    return (self.give_back(delivery, payload, wait).await, None);
                }
            }
        }
    }
}
