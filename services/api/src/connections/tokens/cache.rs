//! Tokens that this process remembers, so that it need not ask the store for each call, and can go on
//! while the store is sealed or away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::record::Record;

/// Most athletes whose tokens are remembered: some megabytes.
const CAPACITY: usize = 10_000;

/// Remembers tokens until their access tokens end.
#[derive(Default)]
pub(super) struct Cache {
    records: Mutex<HashMap<Uuid, Record>>,
}

impl Cache {
    /// The athlete's tokens, if they are those with this id.
    pub(super) fn get(&self, athlete_id: Uuid, id: Uuid) -> Option<Record> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(&athlete_id).filter(|record| record.id == id).cloned()
    }

    /// Remembers tokens in place of older ones.
    pub(super) fn put(&self, athlete_id: Uuid, record: Record, now: DateTime<Utc>) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= CAPACITY {
            records.retain(|_, record| record.tokens.expires_at > now);
        }
        if records.len() >= CAPACITY {
            // Any of them: whoever is asked for again comes back by one read of the store.
            if let Some(victim) = records.keys().next().copied() {
                records.remove(&victim);
            }
        }
        records.insert(athlete_id, record);
    }

    /// Forgets an athlete's tokens.
    pub(super) fn remove(&self, athlete_id: Uuid) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).remove(&athlete_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::TokenPair;

    fn record(seconds: i64) -> Record {
        Record::new(TokenPair {
            access_token: "a".into(),
            refresh_token: "r".into(),
            expires_at: DateTime::from_timestamp(seconds, 0).unwrap(),
        })
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_000, 0).unwrap()
    }

    #[test]
    fn only_the_newest_tokens_are_given() {
        let (cache, ada) = (Cache::default(), Uuid::now_v7());
        let (old, new) = (record(2_000), record(3_000));
        cache.put(ada, old.clone(), now());
        assert!(cache.get(ada, old.id).is_some());
        assert!(cache.get(ada, new.id).is_none());
        cache.put(ada, new.clone(), now());
        assert!(cache.get(ada, old.id).is_none());
        cache.remove(ada);
        assert!(cache.get(ada, new.id).is_none());
    }

    #[test]
    fn what_has_ended_makes_room_first_and_it_never_grows_beyond_its_capacity() {
        let cache = Cache::default();
        let (ended, lasting) = (Uuid::now_v7(), Uuid::now_v7());
        cache.put(ended, record(999), now());
        cache.put(lasting, record(5_000), now());
        for _ in 0..CAPACITY - 1 {
            cache.put(Uuid::now_v7(), record(5_000), now());
        }
        let known = |cache: &Cache| cache.records.lock().unwrap().clone();
        assert!(!known(&cache).contains_key(&ended) && known(&cache).contains_key(&lasting));
        for _ in 0..100 {
            cache.put(Uuid::now_v7(), record(5_000), now());
        }
        assert_eq!(known(&cache).len(), CAPACITY);
    }
}
