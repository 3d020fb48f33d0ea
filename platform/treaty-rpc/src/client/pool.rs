//! All places of a service, and the choice among them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::address::{Address, Name, Place};
use super::connection::{Kept, Unreachable, keep};
use super::resolve::{Resolve, follow};

/// How places are connected to and found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) connect_timeout: Duration,
    pub(super) resolve_interval: Duration,
}

/// The places of a service. Nothing is connected or looked up before the first call.
pub(super) struct Pool {
    shared: Arc<Shared>,
    addresses: Vec<Address>,
    resolver: Arc<dyn Resolve>,
    begun: AtomicBool,
}

/// What the tasks that connect and look up share with the calls.
pub(super) struct Shared {
    pub(super) settings: Settings,
    members: Mutex<Members>,
    /// Something about the members is different.
    changed: Notify,
    stop: CancellationToken,
}

#[derive(Default)]
struct Members {
    places: Vec<Member>,
    names: Vec<Lookup>,
    next: u64,
}

/// One place that calls may go to.
struct Member {
    id: u64,
    place: Place,
    /// Which name it was found by; none for one that the configuration has.
    name: Option<usize>,
    state: State,
    in_flight: Arc<AtomicUsize>,
    urged: Arc<Notify>,
    stop: CancellationToken,
}

/// How it stands with a place.
pub(super) enum State {
    /// A connection is being made.
    Connecting,
    /// Calls can be sent.
    Ready(SendRequest<Body>),
    /// The last try failed; another follows by itself, or when a call asks for it.
    Failed(Unreachable),
}

/// How it stands with a name.
struct Lookup {
    /// Whether an answer is being waited for.
    asking: bool,
    failure: Option<Unreachable>,
    again: Arc<Notify>,
}

/// A place that takes a call now.
pub(super) struct Chosen {
    pub(super) id: u64,
    pub(super) sender: SendRequest<Body>,
    pub(super) place: Place,
    pub(super) flight: Flight,
}

/// Counts a call for as long as it is under way.
pub(super) struct Flight(Arc<AtomicUsize>);

impl Flight {
    fn begin(in_flight: &Arc<AtomicUsize>) -> Self {
        in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(
        addresses: Vec<Address>,
        settings: Settings,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        let shared = Shared {
            settings,
            members: Mutex::default(),
            changed: Notify::new(),
            stop: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared), addresses, resolver, begun: AtomicBool::new(false) }
    }

    /// A place that can take a call, not one of `tried` where there is another. Waits
    /// while one may become ready, and asks for a new try when none is.
    ///
    /// # Errors
    /// Why the last place tried is not reachable, when none is.
    pub(super) async fn choose(&self, tried: &[u64]) -> Result<Chosen, Unreachable> {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.begin();
        }
        let mut urged = false;
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            // From here on a change is noticed, so that none falls between look and wait.
            changed.as_mut().enable();
            {
                let mut members = self.shared.members();
                if let Some(chosen) = members.choose(tried) {
                    return Ok(chosen);
                }
                if !members.is_hopeful() {
                    if urged {
                        return Err(members.failure());
                    }
                    urged = true;
                    members.urge();
                }
            }
            changed.await;
        }
    }

    fn begin(&self) {
        let mut members = self.shared.members();
        for address in &self.addresses {
            match address {
                Address::Fixed(place) => self.shared.add(&mut members, place.clone(), None),
                Address::Name(name) => self.follow(&mut members, name),
            }
        }
    }

    fn follow(&self, members: &mut Members, name: &Name) {
        let index = members.names.len();
        members.names.push(Lookup { asking: true, failure: None, again: Arc::default() });
        let (shared, resolver) = (Arc::clone(&self.shared), Arc::clone(&self.resolver));
        tokio::spawn(follow(shared, index, name.clone(), resolver, self.shared.stop.clone()));
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        // The senders are what keeps idle connections open.
        self.shared.members().places.clear();
    }
}

impl Shared {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, members: &mut Members, place: Place, name: Option<usize>) {
        let id = members.next;
        members.next += 1;
        let (urged, stop) = (Arc::new(Notify::new()), self.stop.child_token());
        let kept = Kept { id, place: place.clone(), urged: Arc::clone(&urged), stop: stop.clone() };
        let state = State::Connecting;
        members.places.push(Member {
            id,
            place,
            name,
            state,
            in_flight: Arc::default(),
            urged,
            stop,
        });
        tokio::spawn(keep(Arc::clone(self), kept));
    }

    /// Notes how it stands with a place.
    pub(super) fn set(&self, id: u64, state: State) {
        if let Some(member) = self.members().places.iter_mut().find(|member| member.id == id) {
            member.state = state;
        }
        self.changed.notify_waiters();
    }

    /// Takes what a lookup has found: new places are connected to, those that are gone
    /// get no more calls.
    pub(super) fn found(self: &Arc<Self>, index: usize, found: std::io::Result<Vec<Place>>) {
        let mut members = self.members();
        if self.stop.is_cancelled() {
            return;
        }
        let failure = match found {
            Ok(found) => {
                members.places.retain(|member| {
                    let stays = member.name != Some(index) || found.contains(&member.place);
                    if !stays {
                        tracing::debug!(place = %member.place, "a place is gone");
                        member.stop.cancel();
                    }
                    stays
                });
                for place in found {
                    let known =
                        |member: &Member| member.name == Some(index) && member.place == place;
                    if !members.places.iter().any(known) {
                        self.add(&mut members, place, Some(index));
                    }
                }
                None
            }
            Err(error) => Some(Unreachable::new("the addresses of a name", error)),
        };
        if let Some(lookup) = members.names.get_mut(index) {
            (lookup.asking, lookup.failure) = (false, failure);
        }
        drop(members);
        self.changed.notify_waiters();
    }

    /// Lets names be looked up: a place is not where it was.
    pub(super) fn lost(&self) {
        for lookup in &self.members().names {
            lookup.again.notify_one();
        }
    }

    /// Waits until a name is to be looked up before its time.
    pub(super) async fn look_up_again(&self, index: usize) {
        let again = self.members().names.get(index).map(|lookup| Arc::clone(&lookup.again));
        match again {
            Some(again) => again.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Members {
    /// The ready place with the fewest calls under way; of several one by chance.
    fn choose(&self, tried: &[u64]) -> Option<Chosen> {
        self.choose_where(|member| !tried.contains(&member.id))
            .or_else(|| self.choose_where(|_| !tried.is_empty()))
    }

    fn choose_where(&self, wanted: impl Fn(&Member) -> bool) -> Option<Chosen> {
        let (mut best, mut least, mut equals) = (None, usize::MAX, 0_u32);
        for member in &self.places {
            let State::Ready(sender) = &member.state else { continue };
            if sender.is_closed() || !wanted(member) {
                continue;
            }
            let load = member.in_flight.load(Ordering::Relaxed);
            if load < least {
                (best, least, equals) = (Some((member, sender)), load, 1);
            } else if load == least {
                equals += 1;
                if rand::random_range(0..equals) == 0 {
                    best = Some((member, sender));
                }
            }
        }
        best.map(|(member, sender)| Chosen {
            id: member.id,
            sender: sender.clone(),
            place: member.place.clone(),
            flight: Flight::begin(&member.in_flight),
        })
    }

    /// Whether a place may become ready without being asked.
    fn is_hopeful(&self) -> bool {
        let place = |member: &Member| !matches!(member.state, State::Failed(_));
        self.places.iter().any(place) || self.names.iter().any(|lookup| lookup.asking)
    }

    /// Lets everything that has failed be tried again now.
    fn urge(&mut self) {
        for member in &mut self.places {
            member.state = State::Connecting;
            member.urged.notify_one();
        }
        for lookup in &mut self.names {
            lookup.asking = true;
            lookup.again.notify_one();
        }
    }

    fn failure(&self) -> Unreachable {
        let places = self.places.iter().filter_map(|member| match &member.state {
            State::Failed(failure) => Some(failure),
            _ => None,
        });
        let names = self.names.iter().filter_map(|lookup| lookup.failure.as_ref());
        let failure = places.chain(names).next().cloned();
        failure.unwrap_or_else(|| Unreachable::new("the service", "it has no place"))
    }
}
