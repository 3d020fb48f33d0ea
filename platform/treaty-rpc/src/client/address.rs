//! Where a service may be: addresses as the configuration writes them.

use std::fmt;

use http::uri::{Authority, PathAndQuery, Uri};
use treaty_error::Error;

/// What one entry of the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// One place; a host name is looked up each time that it is connected to.
    Fixed(Place),
    /// All places that a name stands for at the time.
    Name(Name),
}

/// One place that can be connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// `host:port` to connect to.
    pub(super) connect: String,
    /// What the server is called in requests.
    pub(super) authority: Authority,
}

/// A name of the domain name system, such as that of a headless Service of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: Authority,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.connect)
    }
}

impl Address {
    /// Reads `host:port`, `http://host:port`, or `dns:///host:port` (gRPC's way to say
    /// that a name has several addresses).
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that shows the address.
    pub(super) fn parse(address: &str) -> Result<Self, Error> {
        let invalid = |what: &str| Error::invalid_field("addresses", format!("`{address}` {what}"));
        let (is_name, rest) = match address.split_once("://") {
            None if address.is_empty() => return Err(invalid("is empty")),
            None => address.strip_prefix("dns:").map_or((false, address), |rest| (true, rest)),
            Some(("http", rest)) => (false, rest),
            // Between the second and the third stroke a server of names could stand.
            Some(("dns", rest)) => match rest.strip_prefix('/') {
                Some(rest) => (true, rest),
                None => return Err(invalid("must be `dns:///host:port`")),
            },
            Some(_) => return Err(invalid("has a scheme other than http or dns")),
        };
        let uri: Uri = format!("http://{rest}")
            .parse()
            .map_err(|error| invalid("is no address").with_source(error))?;
        if uri.path_and_query().is_some_and(|path| *path != PathAndQuery::from_static("/")) {
            return Err(invalid("has more than a host and a port"));
        }
        let authority = uri.authority().ok_or_else(|| invalid("is no address"))?.clone();
        let port = authority.port_u16().ok_or_else(|| invalid("has no port"))?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(invalid("is no host and port"));
        }
        Ok(if is_name {
            Self::Name(Name { host: authority.host().to_owned(), port, authority })
        } else {
            Self::Fixed(Place { connect: authority.as_str().to_owned(), authority })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_names_are_told_apart() {
        for fixed in ["api:9233", "http://api:9233", "http://api:9233/"] {
            let Address::Fixed(place) = Address::parse(fixed).unwrap() else { panic!("{fixed}") };
            assert_eq!(place.connect, "api:9233");
        }
        for name in ["dns:///api.default.svc:9233", "dns:api.default.svc:9233"] {
            let Address::Name(found) = Address::parse(name).unwrap() else { panic!("{name}") };
            assert_eq!((found.host.as_str(), found.port), ("api.default.svc", 9233));
            assert_eq!(found.authority.as_str(), "api.default.svc:9233");
        }
        assert!(matches!(Address::parse("[::1]:9233"), Ok(Address::Fixed(_))));
    }

    #[test]
    fn what_is_no_address_is_shown() {
        let bad = [
            "",
            "api",
            "http://",
            "https://api:9233",
            "a b:1",
            "api:9233/path",
            "me@api:9233",
            ":9233",
            "dns://8.8.8.8/api:9233",
            "dns:///api",
            "api:99999",
        ];
        for bad in bad {
            let error = Address::parse(bad).unwrap_err();
            assert_eq!(error.violations()[0].field, "addresses", "{bad:?}");
        }
    }
}
