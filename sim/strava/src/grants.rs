//! What athletes have granted: codes, access tokens and refresh tokens.

use std::collections::HashMap;

use crate::config::RefreshRotation;
use crate::random::Random;
use crate::scope::Scopes;

/// Seconds for which a code can be redeemed.
const CODE_LIFETIME: i64 = 600;
/// A refresh gives the same access token back while it is valid for longer than this.
const REUSE_ABOVE: i64 = 3_600;
/// Unredeemed codes are swept out when this many have gathered.
const CODES_BEFORE_SWEEP: usize = 4_096;

const TOKEN_STREAM: u64 = 5;

/// Whom an access token stands for and what it allows.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) athlete: u64,
    pub(crate) scopes: Scopes,
}

/// What a token request answers with. It has no `Debug`: the tokens are secrets.
pub(crate) struct Tokens {
    pub(crate) athlete: u64,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_at: i64,
}

struct Code {
    athlete: u64,
    scopes: Scopes,
    expires_at: i64,
}

struct Grant {
    scopes: Scopes,
    /// The newest is last; older ones stay valid until they expire.
    access: Vec<(String, i64)>,
    refresh_token: String,
    refreshes: u64,
}

/// All grants of the one application.
pub(crate) struct Grants {
    random: Random,
    lifetime: i64,
    rotation: RefreshRotation,
    codes: HashMap<String, Code>,
    by_athlete: HashMap<u64, Grant>,
    by_access_token: HashMap<String, u64>,
    by_refresh_token: HashMap<String, u64>,
    next_athlete: u64,
}

impl Grants {
    pub(crate) fn new(seed: u64, lifetime: u64, rotation: RefreshRotation) -> Self {
        Self {
            random: Random::new(seed, &[TOKEN_STREAM]),
            lifetime: i64::try_from(lifetime).unwrap_or(i64::MAX),
            rotation,
            codes: HashMap::new(),
            by_athlete: HashMap::new(),
            by_access_token: HashMap::new(),
            by_refresh_token: HashMap::new(),
            next_athlete: 0,
        }
    }

    /// How many athletes are connected.
    pub(crate) fn connected(&self) -> usize {
        self.by_athlete.len()
    }

    /// What an athlete has granted, if anything.
    pub(crate) fn scopes(&self, athlete: u64) -> Option<&Scopes> {
        self.by_athlete.get(&athlete).map(|grant| &grant.scopes)
    }

    /// The next athlete who was not sent here before and is not connected.
    pub(crate) fn take_unconnected(&mut self, athletes: u64) -> Option<u64> {
        let free = (self.next_athlete..athletes).find(|a| !self.by_athlete.contains_key(a))?;
        self.next_athlete = free + 1;
        Some(free)
    }

    /// Notes an athlete's consent and gives out the code for it.
    pub(crate) fn consent(&mut self, athlete: u64, scopes: Scopes, now: i64) -> String {
        if self.codes.len() >= CODES_BEFORE_SWEEP {
            self.codes.retain(|_, code| code.expires_at > now);
        }
        let code = self.random.token();
        self.codes.insert(code.clone(), Code { athlete, scopes, expires_at: now + CODE_LIFETIME });
        code
    }

    /// Redeems a code, once. An earlier grant of the athlete ends with it.
    pub(crate) fn exchange(&mut self, code: &str, now: i64) -> Option<Tokens> {
        let code = self.codes.remove(code).filter(|code| code.expires_at > now)?;
        self.revoke(code.athlete);
        let refresh_token = self.random.token();
        self.by_refresh_token.insert(refresh_token.clone(), code.athlete);
        let grant = Grant { scopes: code.scopes, access: Vec::new(), refresh_token, refreshes: 0 };
        self.by_athlete.insert(code.athlete, grant);
        self.issue(code.athlete, now)
    }

    /// Redeems a refresh token, which may end its life.
    pub(crate) fn refresh(&mut self, refresh_token: &str, now: i64) -> Option<Tokens> {
        let athlete = *self.by_refresh_token.get(refresh_token)?;
        let grant = self.by_athlete.get_mut(&athlete)?;
        grant.refreshes += 1;
        if self.rotation.rotates_at(grant.refreshes) {
            let fresh = self.random.token();
            self.by_refresh_token.remove(refresh_token);
            self.by_refresh_token.insert(fresh.clone(), athlete);
            grant.refresh_token = fresh;
        }
        self.issue(athlete, now)
    }

    /// The athlete's tokens, with a new access token when the newest is about to expire.
    fn issue(&mut self, athlete: u64, now: i64) -> Option<Tokens> {
        let grant = self.by_athlete.get_mut(&athlete)?;
        let newest = grant.access.last().filter(|(_, expires_at)| *expires_at > now + REUSE_ABOVE);
        let (access_token, expires_at) = if let Some(newest) = newest {
            newest.clone()
        } else {
            let fresh = (self.random.token(), now.saturating_add(self.lifetime));
            for (token, _) in grant.access.extract_if(.., |(_, expires_at)| *expires_at <= now) {
                self.by_access_token.remove(&token);
            }
            grant.access.push(fresh.clone());
            self.by_access_token.insert(fresh.0.clone(), athlete);
            fresh
        };
        let refresh_token = grant.refresh_token.clone();
        Some(Tokens { athlete, access_token, refresh_token, expires_at })
    }

    /// Whom a valid access token stands for.
    pub(crate) fn session(&self, access_token: &str, now: i64) -> Option<Session> {
        let athlete = *self.by_access_token.get(access_token)?;
        let grant = self.by_athlete.get(&athlete)?;
        let (_, expires_at) = grant.access.iter().find(|(token, _)| token == access_token)?;
        (*expires_at > now).then(|| Session { athlete, scopes: grant.scopes.clone() })
    }

    /// Ends an athlete's grant with all its tokens; returns what had been granted.
    pub(crate) fn revoke(&mut self, athlete: u64) -> Option<Scopes> {
        let grant = self.by_athlete.remove(&athlete)?;
        self.by_refresh_token.remove(&grant.refresh_token);
        for (token, _) in &grant.access {
            self.by_access_token.remove(token);
        }
        Some(grant.scopes)
    }

    /// Makes access tokens expire now, of one athlete or of all; returns how many.
    pub(crate) fn expire(&mut self, athlete: Option<u64>, now: i64) -> usize {
        let mut expired = 0;
        for (index, grant) in &mut self.by_athlete {
            if athlete.is_none_or(|athlete| athlete == *index) {
                for (_, expires_at) in grant.access.iter_mut().filter(|(_, at)| *at > now) {
                    *expires_at = now;
                    expired += 1;
                }
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(rotation: RefreshRotation) -> (Grants, Tokens) {
        let mut grants = Grants::new(1, 21_600, rotation);
        let code = grants.consent(3, Scopes::parse("activity:read").unwrap(), 0);
        let tokens = grants.exchange(&code, 1).unwrap();
        assert!(grants.exchange(&code, 1).is_none(), "a code works once");
        (grants, tokens)
    }

    #[test]
    fn codes_expire() {
        let mut grants = Grants::new(1, 21_600, RefreshRotation::default());
        let code = grants.consent(3, Scopes::default(), 0);
        assert!(grants.exchange(&code, CODE_LIFETIME).is_none());
    }

    #[test]
    fn rotation_kills_the_old_refresh_token_and_keeps_young_access_tokens() {
        let (mut grants, first) = connected(RefreshRotation::every(1));
        let second = grants.refresh(&first.refresh_token, 2).unwrap();
        assert_ne!(first.refresh_token, second.refresh_token);
        assert_eq!(first.access_token, second.access_token);
        assert!(grants.refresh(&first.refresh_token, 3).is_none());
        let third = grants.refresh(&second.refresh_token, 21_600 - 3_600 + 1).unwrap();
        assert_ne!(second.access_token, third.access_token);
        assert!(grants.session(&second.access_token, 21_600).is_some());
        assert!(grants.session(&second.access_token, 21_601).is_none());
    }

    #[test]
    fn rotation_can_be_rarer_or_never() {
        let (mut grants, first) = connected(RefreshRotation::every(2));
        let second = grants.refresh(&first.refresh_token, 2).unwrap();
        assert_eq!(first.refresh_token, second.refresh_token);
        let third = grants.refresh(&second.refresh_token, 2).unwrap();
        assert_ne!(second.refresh_token, third.refresh_token);
        let (mut grants, first) = connected(RefreshRotation::Never);
        for _ in 0..5 {
            assert!(grants.refresh(&first.refresh_token, 2).is_some());
        }
    }

    #[test]
    fn a_revoked_grant_leaves_nothing() {
        let (mut grants, tokens) = connected(RefreshRotation::default());
        assert!(grants.revoke(3).is_some());
        assert!(grants.session(&tokens.access_token, 2).is_none());
        assert!(grants.refresh(&tokens.refresh_token, 2).is_none());
        assert_eq!(grants.connected(), 0);
        assert!(grants.by_access_token.is_empty() && grants.by_refresh_token.is_empty());
    }

    #[test]
    fn athletes_are_taken_in_turn() {
        let (mut grants, _) = connected(RefreshRotation::default());
        let taken: Vec<_> = std::iter::from_fn(|| grants.take_unconnected(5)).collect();
        assert_eq!(taken, [0, 1, 2, 4]);
    }
}
