//! What is refused, with the place of it.

use treaty_json::ErrorKind::{Data, Message, Syntax};

use crate::orders::{Order, read};

#[test]
fn wrong_values_are_told_with_path_and_byte() {
    for (json, path, description, offset) in [
        (r#"{"orderId": 5}"#, "orderId", "expected a string, found a number", 12),
        (r#"{"order_id": null, "orderId": "a"}"#, "orderId", "stands here a second time", 19),
        (
            r#"{"children": [{}, {"count": 1.5}]}"#,
            "children[1].count",
            "expected a whole number",
            28,
        ),
        (r#"{"count": 2147483648}"#, "count", "the number is out of range", 19),
        (r#"{"small": -1}"#, "small", "the number is out of range", 11),
        (r#"{"count": "1 "}"#, "count", "expected a number", 10),
        (r#"{"weight": 3.5e38}"#, "weight", "the number is out of range", 11),
        (r#"{"price": "nan"}"#, "price", "expected a number", 10),
        (r#"{"gift": "true"}"#, "gift", "expected true or false, found a string", 9),
        (r#"{"photo": "a"}"#, "photo", "expected base64", 10),
        (r#"{"state": "OPEN"}"#, "state", "test.v1.State has no value \"OPEN\"", 10),
        (r#"{"shut": 1}"#, "shut", "test.v1.Shut has no value 1", 9),
        (
            r#"{"states": [null]}"#,
            "states[0]",
            "expected the name or number of an enum value, found null",
            12,
        ),
        (r#"{"large": [null]}"#, "large[0]", "expected a number, found null", 11),
        (r#"{"byName": {"a": {"x": 1}}}"#, "byName[\"a\"].x", "unknown field", 18),
        (r#"{"byNumber": {"1.5": 1}}"#, "byNumber[\"1.5\"]", "expected a whole number", 21),
        (
            r#"{"byFlag": {"true": 1, "true": 2}}"#,
            "byFlag[\"true\"]",
            "stands here a second time",
            31,
        ),
        (r#"{"text": "a", "kind": 1}"#, "kind", "another field of its oneof is set too", 23),
        (r#"{"child": []}"#, "child", "expected an object, found a list", 10),
        (r#"[]"#, "", "expected an object, found a list", 0),
    ] {
        let error = read(json).unwrap_err();
        assert_eq!(
            (error.path().as_str(), error.description(), error.offset(), error.kind()),
            (path, description, Some(offset), Data),
            "{json}"
        );
    }
    let error = read(r#"{"child": {"count": true}}"#).unwrap_err();
    assert_eq!(error.to_string(), "child.count: expected a number, found a boolean (at byte 20)");
}

#[test]
fn what_is_not_json_is_told_as_such() {
    for json in [
        "",
        "{",
        "}",
        "{]",
        "{\"count\"}",
        "{\"count\":}",
        "{\"count\":1,}",
        "{\"count\":1 \"gift\":true}",
        "{'count':1}",
        "{count:1}",
        "{\"count\":01}",
        "{\"count\":+1}",
        "{\"price\":.5}",
        "{\"price\":1.}",
        "{\"count\":1} x",
        "{\"gift\":tru}",
        "{\"states\":[1,]}",
        "{\"states\":[1",
        "{\"orderId\":\"a",
        "{\"orderId\":\"\\x\"}",
        "{\"orderId\":\"\\u12\"}",
        "{\"orderId\":\"\n\"}",
        "{\"orderId\":\"\\ud800\"}",
        "{\"orderId\":\"\\ud800\\u0041\"}",
        "{\"orderId\":\"\\udc00\"}",
        "\u{feff}{}",
        "{\"count\":nul}",
        "// {}\n{}",
        "{\"value\": nope}",
        "{\"data\": {\"a\" 1}}",
    ] {
        let error = read(json).unwrap_err();
        assert_eq!(error.kind(), Syntax, "{json}: {error}");
        assert!(error.offset().unwrap() <= json.len(), "{json}: {error}");
    }
    let error = treaty_json::from_slice::<Order>(b"{\"orderId\":\"\xff\"}").unwrap_err();
    assert_eq!((error.kind(), error.offset()), (Syntax, Some(12)));
}

#[test]
fn a_message_that_has_no_json_is_told_with_its_path() {
    use prost_types::{Any, Duration, FieldMask, Timestamp, Value, value::Kind};
    let mut order =
        Order { time: Some(Timestamp { seconds: 253_402_300_800, nanos: 0 }), ..Order::default() };
    let error = treaty_json::to_vec(&order).unwrap_err();
    assert_eq!((error.path().as_str(), error.kind(), error.offset()), ("time", Message, None));
    order = Order { children: vec![Order::default(), order], ..Order::default() };
    order = Order { by_name: [("k".to_owned(), order)].into(), ..Order::default() };
    let error = treaty_json::to_vec(&order).unwrap_err();
    assert_eq!(error.path(), "byName[\"k\"].children[1].time");

    let nan = Value { kind: Some(Kind::NumberValue(f64::NAN)) };
    for order in [
        Order { time: Some(Timestamp { seconds: 0, nanos: -1 }), ..Order::default() },
        Order { wait: Some(Duration { seconds: 1, nanos: -1 }), ..Order::default() },
        Order { wait: Some(Duration { seconds: 315_576_000_001, nanos: 0 }), ..Order::default() },
        Order { mask: Some(FieldMask { paths: vec!["a.fooBar".to_owned()] }), ..Order::default() },
        Order { value: Some(nan), ..Order::default() },
        Order { value: Some(Value { kind: None }), ..Order::default() },
        Order {
            any: Some(Any { type_url: "x/y.Z".to_owned(), value: vec![] }),
            ..Order::default()
        },
    ] {
        assert_eq!(treaty_json::to_vec(&order).unwrap_err().kind(), Message, "{order:?}");
    }
}
