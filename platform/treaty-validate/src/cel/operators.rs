//! Operators whose meaning differs from Rust's.

use super::{Duration, Error, Result, Timestamp};

/// Values that can be added and subtracted, with a result that may not exist.
pub trait Arithmetic<Other = Self>: Sized {
    /// The sum's type.
    type Sum;
    /// The difference's type.
    type Difference;
    /// `self + other`
    fn plus(self, other: Other) -> Option<Self::Sum>;
    /// `self - other`
    fn minus(self, other: Other) -> Option<Self::Difference>;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Arithmetic for $type {
            type Sum = Self;
            type Difference = Self;
            #[inline]
            fn plus(self, other: Self) -> Option<Self> {
                self.checked_add(other)
            }
            #[inline]
            fn minus(self, other: Self) -> Option<Self> {
                self.checked_sub(other)
            }
        }

        impl Integer for $type {
            #[inline]
            fn times(self, other: Self) -> Option<Self> {
                self.checked_mul(other)
            }
            #[inline]
            fn quotient(self, other: Self) -> Result<Self> {
                if other == 0 { Err(Error::DivisionByZero) } else {
                    self.checked_div(other).ok_or(Error::Overflow)
                }
            }
            #[inline]
            fn remainder(self, other: Self) -> Result<Self> {
                if other == 0 { Err(Error::DivisionByZero) } else {
                    self.checked_rem(other).ok_or(Error::Overflow)
                }
            }
        }
    )*};
}

/// 64-bit integers.
pub trait Integer: Sized {
    /// `self * other`
    fn times(self, other: Self) -> Option<Self>;
    /// `self / other`
    fn quotient(self, other: Self) -> Result<Self>;
    /// `self % other`
    fn remainder(self, other: Self) -> Result<Self>;
}

integers!(i64, u64);

impl Arithmetic<Duration> for Timestamp {
    type Sum = Timestamp;
    type Difference = Timestamp;
    #[inline]
    fn plus(self, other: Duration) -> Option<Timestamp> {
        self.checked_add(other)
    }
    #[inline]
    fn minus(self, other: Duration) -> Option<Timestamp> {
        self.checked_sub(other)
    }
}

impl Arithmetic<Timestamp> for Timestamp {
    type Sum = Timestamp;
    type Difference = Duration;
    /// Times have no sum; the generator writes none.
    #[inline]
    fn plus(self, _other: Timestamp) -> Option<Timestamp> {
        None
    }
    #[inline]
    fn minus(self, other: Timestamp) -> Option<Duration> {
        Some(self.since(other))
    }
}

impl Arithmetic for Duration {
    type Sum = Self;
    type Difference = Self;
    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
    #[inline]
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
}

impl Arithmetic<Timestamp> for Duration {
    type Sum = Timestamp;
    type Difference = Timestamp;
    #[inline]
    fn plus(self, other: Timestamp) -> Option<Timestamp> {
        other.checked_add(self)
    }
    /// No time can be taken from a span; the generator writes none.
    #[inline]
    fn minus(self, _other: Timestamp) -> Option<Timestamp> {
        None
    }
}

/// `a + b`
///
/// # Errors
/// The sum is out of range.
#[inline]
pub fn add<A: Arithmetic<B>, B>(a: A, b: B) -> Result<A::Sum> {
    a.plus(b).ok_or(Error::Overflow)
}

/// `a - b`
///
/// # Errors
/// The difference is out of range.
#[inline]
pub fn sub<A: Arithmetic<B>, B>(a: A, b: B) -> Result<A::Difference> {
    a.minus(b).ok_or(Error::Overflow)
}

/// `a * b` of integers
///
/// # Errors
/// The product is out of range.
#[inline]
pub fn mul<T: Integer>(a: T, b: T) -> Result<T> {
    a.times(b).ok_or(Error::Overflow)
}

/// `a / b` of integers
///
/// # Errors
/// `b` is zero, or the quotient is out of range.
#[inline]
pub fn div<T: Integer>(a: T, b: T) -> Result<T> {
    a.quotient(b)
}

/// `a % b` of integers
///
/// # Errors
/// `b` is zero, or the quotient is out of range.
#[inline]
pub fn rem<T: Integer>(a: T, b: T) -> Result<T> {
    a.remainder(b)
}

/// `-a`
///
/// # Errors
/// `a` is the least number.
#[inline]
pub fn neg(a: i64) -> Result<i64> {
    a.checked_neg().ok_or(Error::Overflow)
}

/// `a && b`: false when one of them is, whatever the other; neither's order matters.
///
/// # Errors
/// One of them has no value and the other is not false.
#[inline]
pub fn and(a: impl FnOnce() -> Result<bool>, b: impl FnOnce() -> Result<bool>) -> Result<bool> {
    match a() {
        Ok(false) => Ok(false),
        Ok(true) => b(),
        Err(error) => match b() {
            Ok(false) => Ok(false),
            _ => Err(error),
        },
    }
}

/// `a || b`: true when one of them is, whatever the other; neither's order matters.
///
/// # Errors
/// One of them has no value and the other is not true.
#[inline]
pub fn or(a: impl FnOnce() -> Result<bool>, b: impl FnOnce() -> Result<bool>) -> Result<bool> {
    match a() {
        Ok(true) => Ok(true),
        Ok(false) => b(),
        Err(error) => match b() {
            Ok(true) => Ok(true),
            _ => Err(error),
        },
    }
}

/// Messages are equal when their fields are; an absent one is an empty one.
#[inline]
pub fn message_eq<M: PartialEq + Default>(a: Option<&M>, b: Option<&M>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        (Some(one), None) | (None, Some(one)) => *one == M::default(),
        (None, None) => true,
    }
}

/// The value of a wrapper.
///
/// # Errors
/// It is absent.
#[inline]
pub fn unwrap<T>(value: Option<T>) -> Result<T> {
    value.ok_or(Error::Null)
}

/// A field of a value whose type the expression hides with `dyn`.
///
/// # Errors
/// Always: the generator writes it where the field does not exist.
#[inline]
pub fn no_such_field<T>() -> Result<T> {
    Err(Error::NoSuchField)
}
