//! Lists, maps and the macros over them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;

use super::{Error, Result};

/// `list.all(item, holds)`: an item for which it does not hold decides, whatever errors
/// there are.
///
/// # Errors
/// The first, when no item decides.
pub fn all<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool>,
) -> Result<bool> {
    let mut first = None;
    for item in items {
        match holds(item) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => _ = first.get_or_insert(error),
        }
    }
    first.map_or(Ok(true), Err)
}

/// `list.exists(item, holds)`: an item for which it holds decides, whatever errors
/// there are.
///
/// # Errors
/// The first, when no item decides.
pub fn exists<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool>,
) -> Result<bool> {
    all(items, |item| holds(item).map(|held| !held)).map(|none| !none)
}

/// `list.exists_one(item, holds)`
///
/// # Errors
/// The first of `holds`.
pub fn exists_one<T>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool>,
) -> Result<bool> {
    let mut count = 0;
    for item in items {
        count += u64::from(holds(item)?);
    }
    Ok(count == 1)
}

/// `list.map(item, made)`
///
/// # Errors
/// The first of `made`.
pub fn map<T, U>(
    items: impl Iterator<Item = T>,
    made: impl FnMut(T) -> Result<U>,
) -> Result<Vec<U>> {
    items.map(made).collect()
}

/// `list.filter(item, holds)`
///
/// # Errors
/// The first of `holds`.
pub fn filter<T: Clone>(
    items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Result<bool>,
) -> Result<Vec<T>> {
    let mut kept = Vec::new();
    for item in items {
        if holds(item.clone())? {
            kept.push(item);
        }
    }
    Ok(kept)
}

/// `list.size()`
pub fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    i64::try_from(items.count()).unwrap_or(i64::MAX)
}

/// `item in list`
pub fn contains<T: PartialEq<U>, U>(mut items: impl Iterator<Item = T>, wanted: U) -> bool {
    items.any(|item| item == wanted)
}

/// `list[index]`
///
/// # Errors
/// The list has no such item.
pub fn at<T>(mut items: impl Iterator<Item = T>, index: i64) -> Result<T> {
    let index = usize::try_from(index).map_err(|_| Error::NoSuchIndex)?;
    items.nth(index).ok_or(Error::NoSuchIndex)
}

/// `list + list`
pub fn concat<T>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> Vec<T> {
    a.chain(b).collect()
}

/// `list == list`
pub fn list_eq<T: PartialEq<U>, U>(a: impl Iterator<Item = T>, b: impl Iterator<Item = U>) -> bool {
    a.eq_by_items(b)
}

/// Comparing item by item; the standard library's `eq_by` is not stable.
trait EqByItems: Iterator + Sized {
    fn eq_by_items<U>(mut self, mut other: impl Iterator<Item = U>) -> bool
    where
        Self::Item: PartialEq<U>,
    {
        loop {
            match (self.next(), other.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a == b => {}
                _ => return false,
            }
        }
    }
}

impl<I: Iterator> EqByItems for I {}

/// A list as `%s` shows it.
pub fn list_text<T: Display>(items: impl Iterator<Item = T>) -> String {
    let texts: Vec<_> = items.map(|item| item.to_string()).collect();
    format!("[{}]", texts.join(", "))
}

/// `map[key]`
///
/// # Errors
/// The map has no such key.
pub fn entry<'a, K, V, Q>(map: Option<&'a BTreeMap<K, V>>, key: &Q) -> Result<&'a V>
where
    K: Borrow<Q> + Ord,
    Q: Ord + ?Sized,
{
    map.and_then(|map| map.get(key)).ok_or(Error::NoSuchKey)
}

/// Values that can be told apart by hashing.
pub trait Key {
    /// What is hashed; `None` for what equals nothing.
    type Hashed: Hash + Eq;
    /// Makes it.
    fn hashed(&self) -> Option<Self::Hashed>;
}

macro_rules! keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            type Hashed = Self;
            fn hashed(&self) -> Option<Self> {
                Some(self.clone())
            }
        }
    )*};
}

keys!(bool, i32, i64, u32, u64, String, Vec<u8>);

impl Key for f64 {
    type Hashed = u64;
    fn hashed(&self) -> Option<u64> {
        // Both zeros are equal, and NaN equals nothing.
        (!self.is_nan()).then(|| (self + 0.0).to_bits())
    }
}

impl Key for f32 {
    type Hashed = u64;
    fn hashed(&self) -> Option<u64> {
        f64::from(*self).hashed()
    }
}

impl<'a> Key for &'a str {
    type Hashed = &'a str;
    fn hashed(&self) -> Option<&'a str> {
        Some(self)
    }
}

impl<'a> Key for &'a [u8] {
    type Hashed = &'a [u8];
    fn hashed(&self) -> Option<&'a [u8]> {
        Some(self)
    }
}

/// `list.unique()`: no item is there twice.
pub fn unique<T: Key>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::with_capacity(items.size_hint().0);
    items.filter_map(|item| item.hashed()).all(|hashed| seen.insert(hashed))
}
