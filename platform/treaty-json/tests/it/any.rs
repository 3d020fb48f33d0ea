//! `Any`, whose types come from a registry.

use treaty_json::{Error, ReadOptions, WriteOptions, from_slice_with, to_vec_with};

use crate::orders::{Order, registry};

/// Reads a text and writes it again, with the test's messages known.
fn again(any: &str) -> Result<String, Error> {
    let registry = registry();
    let read = ReadOptions { registry: Some(&registry), ..ReadOptions::DEFAULT };
    let write = WriteOptions { registry: Some(&registry), ..WriteOptions::DEFAULT };
    let order: Order = from_slice_with(format!("{{\"any\":{any}}}").as_bytes(), &read)?;
    let json = String::from_utf8(to_vec_with(&order, &write)?).unwrap();
    Ok(json["{\"any\":".len()..json.len() - 1].to_owned())
}

#[test]
fn what_it_holds_is_among_its_members() {
    let p = "type.googleapis.com";
    for (json, canonical) in [
        ("{}".to_owned(), None),
        (format!(r#"{{"@type":"{p}/test.v1.Order","orderId":"a","child":{{"count":1}}}}"#), None),
        (
            format!(r#"{{"child":{{"count":1}},"@type":"{p}/test.v1.Order","order_id":"a"}}"#),
            Some(format!(r#"{{"@type":"{p}/test.v1.Order","orderId":"a","child":{{"count":1}}}}"#)),
        ),
        (
            format!(
                r#"{{"@type":"{p}/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"}}"#
            ),
            None,
        ),
        (
            format!(r#"{{"value":5,"@type":"{p}/google.protobuf.Int64Value"}}"#),
            Some(format!(r#"{{"@type":"{p}/google.protobuf.Int64Value","value":"5"}}"#)),
        ),
        (format!(r#"{{"@type":"{p}/google.protobuf.Value","value":null}}"#), None),
        (format!(r#"{{"@type":"{p}/google.protobuf.Empty"}}"#), None),
        (
            format!(
                r#"{{"@type":"{p}/google.protobuf.Any","value":{{"@type":"other.example/test.v1.Order","count":1}}}}"#
            ),
            None,
        ),
    ] {
        let written = again(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(written, canonical.unwrap_or(json));
    }
}

#[test]
fn what_it_cannot_hold_is_refused() {
    for any in [
        r#"{"orderId":"a"}"#,
        r#"{"@type":""}"#,
        r#"{"@type":5}"#,
        r#"{"@type":"test.v1.Order"}"#,
        r#"{"@type":"x/"}"#,
        r#"{"@type":"x/test.v1.Unknown"}"#,
        r#"{"@type":"x/test.v1.Order","count":"x"}"#,
        r#"{"@type":"x/test.v1.Order","values":{}}"#,
        r#"{"@type":"x/test.v1.Order","@type":"x/test.v1.Order"}"#,
        r#"{"@type":"x/google.protobuf.Duration"}"#,
        r#"{"@type":"x/google.protobuf.Duration","value":"1s","value":"1s"}"#,
        r#"{"@type":"x/google.protobuf.Duration","value":"1s","more":1}"#,
        r#"{"@type":"x/google.protobuf.Duration","seconds":1}"#,
    ] {
        let error = again(any).unwrap_err();
        assert!(error.path().starts_with("any"), "{any}: {error}");
    }
    let nested = |depth: usize| {
        let open = r#"{"@type":"x/google.protobuf.Any","value":"#;
        format!("{}{{}}{}", open.repeat(depth), "}".repeat(depth))
    };
    assert!(again(&nested(10)).is_ok());
    assert!(again(&nested(1_000)).is_err());
}

#[test]
fn a_value_that_is_none_of_its_type_is_told() {
    let any = prost_types::Any { type_url: "x/test.v1.Order".to_owned(), value: vec![0xff] };
    let registry = registry();
    let options = WriteOptions { registry: Some(&registry), ..WriteOptions::DEFAULT };
    let error = to_vec_with(&any, &options).unwrap_err();
    assert_eq!(error.description(), "no valid value of x/test.v1.Order");
}
