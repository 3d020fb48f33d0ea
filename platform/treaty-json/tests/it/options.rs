//! What readers and writers can be asked to do differently.

use treaty_json::{ReadOptions, Unknown, WriteOptions, from_slice_with, to_vec_with};

use crate::orders::{Order, again, read};

#[test]
fn unknown_names_are_left_out_when_asked() {
    let json = r#"{"new": {"a": [1, "x", null]}, "state": "STATE_NEWER", "count": 1,
        "states": ["STATE_OPEN", "STATE_NEWER"], "byNumber": {"1": "STATE_NEWER", "2": 1},
        "kind": "STATE_NEWER", "shut": 7, "children": [{"new": 1}]}"#;
    assert!(read(json).is_err());
    let options = ReadOptions { unknown: Unknown::Ignore, ..ReadOptions::DEFAULT };
    let order: Order = from_slice_with(json.as_bytes(), &options).unwrap();
    let expected =
        read(r#"{"count": 1, "states": [1], "byNumber": {"2": 1}, "children": [{}]}"#).unwrap();
    assert_eq!(order, expected);
    // What is left out is JSON all the same.
    for json in [r#"{"new": 01}"#, r#"{"new": {"a"}}"#, r#"{"new": "\ud800"}"#, r#"{"new": [1 2]}"#]
    {
        assert!(from_slice_with::<Order>(json.as_bytes(), &options).is_err(), "{json}");
    }
}

#[test]
fn writers_may_differ_from_the_canonical_form() {
    let order =
        read(r#"{"orderId": "a", "state": "STATE_OPEN", "states": [1], "byNumber": {"1": 1}}"#)
            .unwrap();
    let write = |options| String::from_utf8(to_vec_with(&order, &options).unwrap()).unwrap();
    assert_eq!(
        write(WriteOptions { proto_names: true, enum_numbers: true, ..WriteOptions::DEFAULT }),
        r#"{"order_id":"a","state":1,"states":[1],"by_number":{"1":1}}"#
    );
    let full = write(WriteOptions { defaults: true, ..WriteOptions::DEFAULT });
    assert_eq!(
        full,
        concat!(
            r#"{"orderId":"a","count":0,"total":"0","large":[],"weight":0,"price":0,"gift":false,"#,
            r#""photo":"","state":"STATE_OPEN","states":["STATE_OPEN"],"children":[],"byName":{},"#,
            r#""byNumber":{"1":"STATE_OPEN"},"byFlag":{},"od\"d":""}"#
        )
    );
    assert_eq!(again(&full), write(WriteOptions::DEFAULT));
}
