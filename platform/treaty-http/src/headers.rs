//! What request headers say about a call: how long, and what goes on with it.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Deserializer};
use treaty_error::{Code, Error};
use treaty_rpc::{GRPC_TIMEOUT, grpc_timeout};

/// Header with the caller's deadline in seconds, for example `2.5`.
pub const REQUEST_TIMEOUT: &str = "request-timeout";

/// How long the caller waits: the shorter one of both headers.
pub(crate) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let read = |name: &str, parse: fn(&str) -> Option<Duration>, form: &str| {
        let Some(value) = headers.get(name) else { return Ok(None) };
        let duration = value.to_str().ok().and_then(parse);
        // A deadline that is not understood must not be a deadline that is ignored.
        duration.map(Some).ok_or_else(|| {
            Error::new(Code::InvalidArgument, format!("the header {name} is not {form}"))
        })
    };
    let grpc = read(GRPC_TIMEOUT, grpc_timeout, "at most eight digits and one of HMSmun")?;
    let seconds = read(REQUEST_TIMEOUT, seconds, "a number of seconds")?;
    Ok(match (grpc, seconds) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    })
}

fn seconds(value: &str) -> Option<Duration> {
    if !value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(value.parse().ok()?).ok()
}

/// Reads names from a list, or from a text as an environment variable has it.
pub(crate) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::List(names) => names,
        Names::Text(text) => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        }
    })
}

/// Which headers of a request go on with the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllowList {
    names: Vec<HeaderName>,
    prefixes: Vec<String>,
}

/// Headers that have a meaning of their own on the way and are never passed on.
const OURS: [&str; 12] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "grpc-timeout",
    "host",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

impl AllowList {
    /// A list of names, of which one that ends in `*` stands for all that begin so.
    /// What is no header's name, or has a meaning of its own, is left out.
    pub(crate) fn new(names: &[String]) -> Self {
        let mut list = Self::default();
        for name in names {
            let lower = name.to_ascii_lowercase();
            match (lower.strip_suffix('*'), HeaderName::try_from(lower.as_str())) {
                (Some(prefix), _) if !prefix.is_empty() => list.prefixes.push(prefix.to_owned()),
                (None, Ok(name)) if !is_ours(name.as_str()) => list.names.push(name),
                _ => tracing::warn!(name, "a header that cannot be passed on is left out"),
            }
        }
        list
    }

    /// The headers that go on; none of them costs nothing.
    pub(crate) fn select(&self, headers: &HeaderMap) -> Option<HeaderMap> {
        if self.names.is_empty() && self.prefixes.is_empty() {
            return None;
        }
        let passes = |name: &HeaderName| {
            let text = name.as_str();
            let by_prefix = self.prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()));
            self.names.contains(name) || (by_prefix && !is_ours(text))
        };
        let selected: HeaderMap = headers
            .iter()
            .filter(|(name, _)| passes(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (!selected.is_empty()).then_some(selected)
    }
}

fn is_ours(name: &str) -> bool {
    OURS.contains(&name) || name.starts_with("grpc-")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_shorter_deadline_counts() {
        let timeout = |pairs: &[(&'static str, &'static str)]| timeout(&headers(pairs)).ok();
        assert_eq!(timeout(&[]), Some(None));
        assert_eq!(timeout(&[("grpc-timeout", "250m")]), Some(Some(Duration::from_millis(250))));
        assert_eq!(timeout(&[("request-timeout", "1.5")]), Some(Some(Duration::from_millis(1500))));
        let both = [("grpc-timeout", "2S"), ("request-timeout", "0.5")];
        assert_eq!(timeout(&both), Some(Some(Duration::from_millis(500))));
        for bad in ["", "S", "5", "5x", "+5S", "123456789S"] {
            assert_eq!(timeout(&[("grpc-timeout", bad)]), None, "{bad:?}");
        }
        for bad in ["", "-1", "1e3", "inf", "1s", "."] {
            assert_eq!(timeout(&[("request-timeout", bad)]), None, "{bad:?}");
        }
    }

    #[test]
    fn names_are_a_list_or_a_text_with_commas() {
        for json in [r#"["x-a", "x-b-*"]"#, r#""x-a, x-b-*,""#] {
            let mut json = serde_json::Deserializer::from_str(json);
            assert_eq!(names(&mut json).unwrap(), ["x-a", "x-b-*"]);
        }
    }

    #[test]
    fn only_listed_headers_go_on() {
        let list = ["X-Tenant", "x-experiment-*", "authorization", "no name", "*"];
        let list = AllowList::new(&list.map(str::to_owned));
        let all = headers(&[
            ("x-tenant", "acme"),
            ("x-experiment-a", "1"),
            ("authorization", "Bearer secret"),
            ("accept", "*/*"),
        ]);
        let passed = list.select(&all).unwrap();
        assert_eq!(passed, headers(&[("x-tenant", "acme"), ("x-experiment-a", "1")]));
        assert_eq!(list.select(&headers(&[("accept", "*/*")])), None);
        assert_eq!(AllowList::default().select(&all), None);
    }
}
