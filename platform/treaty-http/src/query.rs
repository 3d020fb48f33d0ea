//! Query strings, decoded strictly.

use std::borrow::Cow;

use crate::percent::{self, Keep, Malformed};

/// A name and a value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The names and values of a query string, in order.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = Result<Pair<'_>, Malformed>> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((percent::decode(name, Keep::Form)?, percent::decode(value, Keep::Form)?))
    })
}

/// Whether two names of fields, in the contract's or JSON's spelling, are one name or
/// the first a message around the second: `book` and `book.pageCount`.
pub(crate) fn covers(outer: &str, inner: &str) -> bool {
    let mut inner = spelling(inner);
    for letter in spelling(outer) {
        if inner.next() != Some(letter) {
            return false;
        }
    }
    matches!(inner.next(), None | Some('.'))
}

/// Whether two names, in either spelling, are one.
pub(crate) fn same(one: &str, other: &str) -> bool {
    spelling(one).eq(spelling(other))
}

/// A name without what the two spellings differ in.
fn spelling(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Vec<(String, String)>> {
        pairs(query)
            .map(|pair| pair.map(|(name, value)| (name.into_owned(), value.into_owned())))
            .collect::<Result<_, _>>()
            .ok()
    }

    fn owned(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        assert_eq!(read(""), owned(&[]));
        assert_eq!(read("a=1&&b&a=2="), owned(&[("a", "1"), ("b", ""), ("a", "2=")]));
        assert_eq!(read("q=a+b%2Bc%C3%A9"), owned(&[("q", "a b+cé")]));
    }

    #[test]
    fn what_is_not_percent_encoded_text_is_refused() {
        for bad in ["a=%", "a=%2", "a=%zz", "a=%ff", "%C3=1", "a=%+1"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_name_is_known_in_either_spelling() {
        assert!(covers("page_size", "pageSize"));
        assert!(covers("book", "book.page_count"));
        assert!(!covers("book.page_count", "book"));
        assert!(!covers("book", "books"));
        assert!(!covers("book", "book2.name"));
    }
}
