//! What an athlete may allow an application to do.

use std::collections::BTreeSet;
use std::fmt;

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    Read,
    ReadAll,
    ProfileReadAll,
    ProfileWrite,
    ActivityRead,
    ActivityReadAll,
    ActivityWrite,
}

impl Scope {
    const ALL: [Self; 7] = [
        Self::Read,
        Self::ReadAll,
        Self::ProfileReadAll,
        Self::ProfileWrite,
        Self::ActivityRead,
        Self::ActivityReadAll,
        Self::ActivityWrite,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadAll => "read_all",
            Self::ProfileReadAll => "profile:read_all",
            Self::ProfileWrite => "profile:write",
            Self::ActivityRead => "activity:read",
            Self::ActivityReadAll => "activity:read_all",
            Self::ActivityWrite => "activity:write",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A set of permissions; it displays as Strava lists them, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads a list separated by commas or spaces; `None` when a name is unknown.
    pub(crate) fn parse(list: &str) -> Option<Self> {
        list.split([',', ' ']).filter(|name| !name.is_empty()).map(Scope::parse).collect()
    }

    /// What both sets allow.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether activities can be read at all.
    pub(crate) fn reads_activities(&self) -> bool {
        self.0.contains(&Scope::ActivityRead) || self.reads_private_activities()
    }

    /// Whether the activities that only the athlete sees can be read too.
    pub(crate) fn reads_private_activities(&self) -> bool {
        self.0.contains(&Scope::ActivityReadAll)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            write!(f, "{separator}{}", scope.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        let scopes = Scopes::parse("activity:read,read").unwrap();
        assert_eq!(scopes.to_string(), "read,activity:read");
        assert!(scopes.reads_activities() && !scopes.reads_private_activities());
        assert_eq!(Scopes::parse("read,everything"), None);
        assert!(Scopes::parse("").unwrap().is_empty());
    }
}
