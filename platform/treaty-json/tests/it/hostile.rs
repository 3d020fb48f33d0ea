//! Texts that are made to do harm: what they cost is bounded, and they are refused.

use prost_types::Any;
use treaty_json::{ReadOptions, Unknown, WriteOptions, from_slice_with, to_vec_with};

use crate::orders::{Order, read, registry};

#[test]
fn nesting_ends_at_a_limit_and_not_at_the_stack() {
    let nested =
        |depth: usize| format!("{}{}{}", "{\"child\":".repeat(depth), "{}", "}".repeat(depth));
    assert!(read(&nested(99)).is_ok());
    let error = read(&nested(100)).unwrap_err();
    assert_eq!(error.description(), "nested deeper than 100 levels");
    for json in
        ["{\"value\":".to_owned() + &"[".repeat(100_000), "[".repeat(100_000), nested(100_000)]
    {
        assert!(read(&json).is_err());
    }
}

#[test]
fn nesting_counts_in_what_is_passed_over_too() {
    let options = ReadOptions { unknown: Unknown::Ignore, ..ReadOptions::DEFAULT };
    let nested = |open: &str, close: &str, depth: usize| {
        let text = format!("{{\"new\":{}0{}}}", open.repeat(depth), close.repeat(depth));
        from_slice_with::<Order>(text.as_bytes(), &options)
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        assert!(nested(open, close, 99).is_ok());
        for depth in [100, 100_000] {
            let error = nested(open, close, depth).unwrap_err();
            assert_eq!(error.description(), "nested deeper than 100 levels");
        }
    }
    let shallow = ReadOptions { max_depth: 2, ..ReadOptions::DEFAULT };
    let read = |json: &str| from_slice_with::<Order>(json.as_bytes(), &shallow);
    assert!(read(r#"{"child":{},"children":[]}"#).is_ok());
    assert!(read(r#"{"children":[{}]}"#).is_err());
}

#[test]
fn lists_and_siblings_do_not_count_as_nesting() {
    let json = format!("{{\"children\":[{}{{}}]}}", "{},".repeat(100_000));
    assert_eq!(read(&json).unwrap().children.len(), 100_001);
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_is() {
    for json in [
        r#"{"count":1,"count":1}"#,
        r#"{"orderId":"a","order_id":"a"}"#,
        r#"{"count":1,"\u0063ount":1}"#,
        // The next in order, and others before and between.
        r#"{"total":1,"count":1,"total":1}"#,
        r#"{"count":1,"total":1,"small":1,"total":1}"#,
        r#"{"count":null,"count":1}"#,
        r#"{"child":{"count":1,"count":2}}"#,
        r#"{"byName":{"a":{},"\u0061":{}}}"#,
        r#"{"byNumber":{"1":1,"1.0":1}}"#,
        r#"{"byFlag":{"true":1,"true":1}}"#,
        r#"{"data":{"a":1,"a":1}}"#,
        r#"{"value":{"a":{"b":1,"b":1}}}"#,
        r#"{"any":{"@type":"x/test.v1.Order","count":1,"count":1}}"#,
        r#"{"any":{"@type":"x/test.v1.Order","@type":"x/test.v1.Order"}}"#,
    ] {
        let registry = registry();
        let options = ReadOptions { registry: Some(&registry), ..ReadOptions::DEFAULT };
        let error = from_slice_with::<Order>(json.as_bytes(), &options).unwrap_err();
        assert_eq!(error.description(), "stands here a second time", "{json}");
    }
    // Two fields of a oneof are no better.
    let error = read(r#"{"text":"a","nested":{}}"#).unwrap_err();
    assert_eq!(error.description(), "another field of its oneof is set too");
}

#[test]
fn numbers_beyond_their_type_are_refused_and_never_wrapped() {
    for (field, least, greatest, beyond) in [
        ("count", "-2147483648", "2147483647", ["-2147483649", "2147483648"]),
        ("small", "0", "4294967295", ["-1", "4294967296"]),
        (
            "total",
            "-9223372036854775808",
            "9223372036854775807",
            ["-9223372036854775809", "9223372036854775808"],
        ),
        ("state", "-2147483648", "2147483647", ["-2147483649", "2147483648"]),
        ("weight", "-3.4028235e38", "3.4028235e38", ["-3.4028236e39", "3.4028236e39"]),
        ("price", "-1.7976931348623157e308", "1.7976931348623157e308", ["-1e309", "1e309"]),
    ] {
        for number in [least, greatest] {
            let json = format!("{{\"{field}\":{number}}}");
            assert!(read(&json).is_ok(), "{json}");
        }
        for number in beyond.into_iter().chain(["1e999999999999999999999", "-1e400"]) {
            let json = format!("{{\"{field}\":{number}}}");
            let error = read(&json).unwrap_err();
            assert_eq!(error.description(), "the number is out of range", "{json}");
        }
    }
    for json in
        [r#"{"large":["18446744073709551616"]}"#, r#"{"byNumber":{"9223372036854775808":1}}"#]
    {
        assert_eq!(read(json).unwrap_err().description(), "the number is out of range");
    }
    assert!(read(r#"{"value":1e309}"#).is_err());
    // Too small to be told from zero is not too large.
    assert_eq!(read(r#"{"price":1e-999999}"#).unwrap().price, 0.0);
}

/// A number of a million digits is read in one pass, and so is an exponent as long.
#[test]
fn long_numbers_cost_no_more_than_their_length() {
    let (nines, zeros) = ("9".repeat(1_000_000), "0".repeat(1_000_000));
    for json in [
        format!("{{\"count\":{nines}}}"),
        format!("{{\"total\":\"{nines}\"}}"),
        format!("{{\"price\":{nines}}}"),
        format!("{{\"count\":1e{nines}}}"),
    ] {
        assert_eq!(read(&json).unwrap_err().description(), "the number is out of range");
    }
    assert_eq!(read(&format!("{{\"count\":1.{zeros}}}")).unwrap().count, 1);
    assert_eq!(read(&format!("{{\"count\":1{zeros}e-1000000}}")).unwrap().count, 1);
    assert_eq!(read(&format!("{{\"price\":0.{zeros}1}}")).unwrap().price, 0.0);
}

#[test]
fn long_texts_are_read_and_not_repeated() {
    let long = "x".repeat(1_000_000);
    let escaped = "\\u00e9".repeat(100_000);
    assert_eq!(read(&format!("{{\"orderId\":\"{long}\"}}")).unwrap().order_id, long);
    let order = read(&format!("{{\"orderId\":\"{escaped}\"}}")).unwrap();
    assert_eq!(order.order_id, "é".repeat(100_000));
    for json in [
        format!("{{\"{long}\":1}}"),
        format!("{{\"{escaped}\":1}}"),
        format!("{{\"state\":\"{long}\"}}"),
        format!("{{\"byName\":{{\"{long}\":1}}}}"),
        format!("{{\"byNumber\":{{\"{long}\":1}}}}"),
        format!("{{\"data\":{{\"{long}\":nul}}}}"),
        format!("{{\"any\":{{\"@type\":\"{long}\"}}}}"),
        format!("{{\"any\":{{\"@type\":\"x/{long}\"}}}}"),
        format!("{{\"any\":{{\"{long}\":tru}}}}"),
        format!("{{\"time\":\"{long}\"}}"),
        format!("{{\"count\":\"{long}\"}}"),
    ] {
        let error = read(&json).unwrap_err().to_string();
        assert!(error.len() < 400, "{} bytes: {}", error.len(), error.get(..100).unwrap());
    }
}

/// What was received in binary form may hold an `Any` in an `Any` as deep as its length
/// allows: to prost it is bytes.
#[test]
fn an_any_is_written_to_a_limit_and_not_to_the_end_of_the_stack() {
    let within = |any: Any| Any {
        type_url: "x/google.protobuf.Any".to_owned(),
        value: prost::Message::encode_to_vec(&any),
    };
    let nested = |depth| (0..depth).fold(Any::default(), |any, _| within(any));
    assert!(treaty_json::to_vec(&nested(100)).is_ok());
    for depth in [101, 3_000] {
        let error = treaty_json::to_vec(&nested(depth)).unwrap_err();
        assert_eq!(error.description(), "an Any nested deeper than 100 levels");
    }
    // Messages on the way count too.
    let registry = registry();
    let options = WriteOptions { registry: Some(&registry), ..WriteOptions::DEFAULT };
    let held = |any: Any| {
        let order = Order { any: Some(any), ..Order::default() };
        let value = prost::Message::encode_to_vec(&order);
        Any { type_url: "x/test.v1.Order".to_owned(), value }
    };
    let nested = |depth| (0..depth).fold(Any::default(), |any, _| held(any));
    assert!(to_vec_with(&nested(90), &options).is_ok());
    assert!(to_vec_with(&nested(1_000), &options).is_err());
}

/// Bytes of binary data are written with `\u0000` by some; six times the length is all.
#[test]
fn control_characters_are_written_as_escapes() {
    let order = Order { order_id: "\0".repeat(1_000), ..Order::default() };
    let json = treaty_json::to_string(&order).unwrap();
    assert_eq!(json, format!("{{\"orderId\":\"{}\"}}", "\\u0000".repeat(1_000)));
}
