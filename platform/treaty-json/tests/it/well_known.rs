//! Values and how they are written.

use crate::orders::{again, read};

/// Texts, and what they are when written again.
#[test]
fn values_have_one_canonical_form() {
    for (json, canonical) in [
        ("{}", "{}"),
        (" { \"count\" : 1e2 ,\r\n\t\"total\" : \"-7\" } ", r#"{"count":100,"total":"-7"}"#),
        (r#"{"order_id": "a", "by_name": {}}"#, r#"{"orderId":"a"}"#),
        (
            r#"{"\u006frderId": "\u00e9\ud83d\ude00\/\b\u0001\""}"#,
            "{\"orderId\":\"é😀/\\b\\u0001\\\"\"}",
        ),
        (
            r#"{"small": 0, "large": ["18446744073709551615", 1.0]}"#,
            r#"{"small":0,"large":["18446744073709551615","1"]}"#,
        ),
        (r#"{"weight": 0.1, "price": "1.5"}"#, r#"{"weight":0.1,"price":1.5}"#),
        (r#"{"weight": "Infinity", "price": "NaN"}"#, r#"{"weight":"Infinity","price":"NaN"}"#),
        (r#"{"weight": "-Infinity", "price": -0.0}"#, r#"{"weight":"-Infinity","price":-0}"#),
        (r#"{"price": 1.7976931348623157e308}"#, r#"{"price":1.7976931348623157e+308}"#),
        (r#"{"photo": "-_8"}"#, r#"{"photo":"+/8="}"#),
        (r#"{"photo": "-_"}"#, r#"{"photo":"+w=="}"#),
        (
            r#"{"state": 1, "states": ["STATE_NEW", -3, 99]}"#,
            r#"{"state":"STATE_OPEN","states":["STATE_OPEN","STATE_CLOSED",99]}"#,
        ),
        (r#"{"shut": "SECOND"}"#, r#"{"shut":"SECOND"}"#),
        (
            r#"{"child": {}, "children": [{}, {"count": 1}]}"#,
            r#"{"child":{},"children":[{},{"count":1}]}"#,
        ),
        (
            r#"{"byName": {"b\"": {}, "a": {}}, "byNumber": {"2": 1, "-1": 0}, "byFlag": {"true": 1, "f\u0061lse": 0}}"#,
            r#"{"byName":{"a":{},"b\"":{}},"byNumber":{"-1":"STATE_UNSPECIFIED","2":"STATE_OPEN"},"byFlag":{"false":0,"true":1}}"#,
        ),
        (r#"{"text": ""}"#, r#"{"text":""}"#),
        (r#"{"text": null, "nested": {"kind": 0}}"#, r#"{"nested":{"kind":"STATE_UNSPECIFIED"}}"#),
        (r#"{"nothingness": null}"#, r#"{"nothingness":null}"#),
        (r#"{"nothingness": "NULL_VALUE"}"#, r#"{"nothingness":null}"#),
        (r#"{"anyValue": null}"#, r#"{"anyValue":null}"#),
        (r#"{"value": null}"#, r#"{"value":null}"#),
        (
            r#"{"value": [1, true, "x", {"a": [null]}, {}]}"#,
            r#"{"value":[1,true,"x",{"a":[null]},{}]}"#,
        ),
        (r#"{"data": {"b": 1.5, "a": {}}, "list": []}"#, r#"{"data":{"a":{},"b":1.5},"list":[]}"#),
        (r#"{"limit": 0, "nothing": {}}"#, r#"{"limit":"0","nothing":{}}"#),
        (r#"{"od\"d": "x"}"#, r#"{"od\"d":"x"}"#),
        (r#"{"odd": "x"}"#, r#"{"od\"d":"x"}"#),
    ] {
        assert_eq!(again(json), canonical, "{json}");
        assert_eq!(again(canonical), canonical);
    }
}

#[test]
fn null_is_absence() {
    let every = r#"{"orderId":null,"count":null,"small":null,"large":null,"gift":null,"photo":null,
        "state":null,"states":null,"shut":null,"child":null,"children":null,"byName":null,
        "byNumber":null,"time":null,"wait":null,"mask":null,"text":null,"nested":null,"kind":null,
        "any":null,"data":null,"list":null,"limit":null,"nothing":null}"#;
    assert_eq!(again(every), "{}");
}

#[test]
fn timestamps_are_rfc_3339() {
    for (text, canonical) in [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("2024-02-29T23:59:59.1Z", "2024-02-29T23:59:59.100Z"),
        ("2024-02-29T23:59:59.000001Z", "2024-02-29T23:59:59.000001Z"),
        ("2024-02-29T23:59:59.000000001Z", "2024-02-29T23:59:59.000000001Z"),
        ("2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"),
        ("2024-01-01T00:30:00-05:30", "2024-01-01T06:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ] {
        let json = format!("{{\"time\":\"{text}\"}}");
        assert_eq!(again(&json), format!("{{\"time\":\"{canonical}\"}}"));
    }
    for text in [
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01 00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.0000000001Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+01:60",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-12-31T23:59:59Z",
        "+024-01-01T00:00:00Z",
        "2024-01-01T00:00:00ZZ",
        "ééééééééééééééééééé",
    ] {
        assert!(read(&format!("{{\"time\":\"{text}\"}}")).is_err(), "{text}");
    }
}

#[test]
fn durations_have_an_s() {
    for (text, canonical) in [
        ("0s", "0s"),
        ("1.5s", "1.500s"),
        ("-0.000001s", "-0.000001s"),
        ("-3.000000001s", "-3.000000001s"),
        ("315576000000s", "315576000000s"),
        ("-315576000000.999999999s", "-315576000000.999999999s"),
    ] {
        let json = format!("{{\"wait\":\"{text}\"}}");
        assert_eq!(again(&json), format!("{{\"wait\":\"{canonical}\"}}"));
    }
    for text in
        ["", "1", "s", "1.s", ".5s", "+1s", "1 s", "1e3s", "--1s", "315576000001s", "1.0000000001s"]
    {
        assert!(read(&format!("{{\"wait\":\"{text}\"}}")).is_err(), "{text}");
    }
}

#[test]
fn field_masks_are_in_camel_case() {
    for text in ["", "a", "fooBar,bazQux.deep", "a1.b2"] {
        let json = format!("{{\"mask\":\"{text}\"}}");
        assert_eq!(again(&json), json);
    }
    assert_eq!(
        read(r#"{"mask":"fooBar.bazQux"}"#).unwrap().mask.unwrap().paths,
        ["foo_bar.baz_qux"]
    );
    for text in ["foo_bar", "a,", ","] {
        assert!(read(&format!("{{\"mask\":\"{text}\"}}")).is_err(), "{text}");
    }
}
