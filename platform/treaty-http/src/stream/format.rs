//! The three texts, and which one a caller wants.

use http::HeaderMap;
use http::header::ACCEPT;

/// How messages follow each other in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON array.
    Array,
    /// JSON objects, a line each.
    Lines,
    /// Server-sent events (HTML Standard, section 9.2).
    Events,
}

impl Format {
    /// The form that `Accept` prefers (RFC 9110, section 12.5.1): the greatest weight,
    /// then the first; an array when there is none of the three.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Array);
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in accepted.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let format = match media_type.as_str() {
                "application/json" | "application/*" | "*/*" => Self::Array,
                "application/x-ndjson" | "application/jsonl" => Self::Lines,
                "text/event-stream" | "text/*" => Self::Events,
                _ => continue,
            };
            let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
            let weight = weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok());
            if let Some(weight) = weight.filter(|weight| *weight > best.0) {
                best = (weight, format);
            }
        }
        best.1
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Array => "application/json",
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    pub(super) fn before(self, is_first: bool) -> &'static [u8] {
        match self {
            Self::Array if is_first => b"[",
            Self::Array => b",",
            Self::Lines => b"{\"result\":",
            Self::Events => b"data: ",
        }
    }

    pub(super) fn after(self) -> &'static [u8] {
        match self {
            Self::Array => b"",
            Self::Lines => b"}\n",
            Self::Events => b"\n\n",
        }
    }

    pub(super) fn write_end(self, buffer: &mut Vec<u8>, is_first: bool) {
        buffer.extend_from_slice(match self {
            Self::Array if is_first => b"[]",
            Self::Array => b"]",
            Self::Lines => b"{\"end\":{}}\n",
            Self::Events => b"event: end\ndata: {}\n\n",
        });
    }

    pub(super) fn write_error(self, buffer: &mut Vec<u8>, is_first: bool, status: &[u8]) {
        let (before, after): (&[u8], &[u8]) = match self {
            Self::Array if is_first => (b"[{\"error\":", b"}]"),
            Self::Array => (b",{\"error\":", b"}]"),
            Self::Lines => (b"{\"error\":", b"}\n"),
            Self::Events => (b"event: error\ndata: ", b"\n\n"),
        };
        buffer.extend_from_slice(before);
        buffer.extend_from_slice(status);
        buffer.extend_from_slice(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_weight_wins_and_the_first_of_equals() {
        for (accept, format) in [
            ("", Format::Array),
            ("*/*", Format::Array),
            ("image/png", Format::Array),
            ("application/x-ndjson", Format::Lines),
            ("application/jsonl", Format::Lines),
            ("Text/Event-Stream", Format::Events),
            ("application/json;q=0.5, text/event-stream;q=0.9", Format::Events),
            ("application/x-ndjson, text/event-stream", Format::Lines),
            ("text/event-stream;q=0, application/x-ndjson;q=0.1", Format::Lines),
            ("text/event-stream; charset=utf-8; q=0.2, */*;q=0.1", Format::Events),
            ("text/event-stream;q=high", Format::Array),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Format::of(&headers), format, "{accept:?}");
        }
        assert_eq!(Format::of(&HeaderMap::new()), Format::Array);
    }
}
