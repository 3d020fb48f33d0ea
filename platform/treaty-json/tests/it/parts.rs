//! Parts of messages, as HTTP has them.

use treaty_json::{ReadOptions, read_field, read_text};

use crate::orders::{Order, read};

fn texts(pairs: &[(&str, &str)]) -> Result<Order, String> {
    let mut order = Order::default();
    for (path, text) in pairs {
        match read_text(&mut order, path, text, &ReadOptions::DEFAULT) {
            Ok(true) => {}
            Ok(false) => return Err(format!("{path} is unknown")),
            Err(error) => return Err(error.path() + ": " + error.description()),
        }
    }
    Ok(order)
}

#[test]
fn texts_set_fields_of_every_sort() {
    let order = texts(&[
        ("order_id", "a \"b\" \\ é"),
        ("count", "-5"),
        ("total", "7"),
        ("gift", "true"),
        ("price", "1e3"),
        ("photo", "-_8"),
        ("state", "STATE_OPEN"),
        ("states", "1"),
        ("states", "STATE_CLOSED"),
        ("large", "1"),
        ("large", "2"),
        ("time", "1970-01-01T00:00:01Z"),
        ("wait", "1.5s"),
        ("mask", "orderId,count"),
        ("limit", "12"),
        ("child.orderId", "deep"),
        ("child.child.gift", "false"),
        ("nested.count", "3"),
    ]);
    let expected = r#"{"orderId": "a \"b\" \\ é", "count": -5, "total": 7, "gift": true, "price": 1000,
        "photo": "-_8", "state": 1, "states": [1, -3], "large": [1, 2], "time": "1970-01-01T00:00:01Z",
        "wait": "1.5s", "mask": "orderId,count", "limit": 12,
        "child": {"orderId": "deep", "child": {"gift": false}}, "nested": {"count": 3}}"#;
    assert_eq!(order, Ok(read(expected).unwrap()));
}

#[test]
fn texts_that_do_not_fit_say_why() {
    for (path, text, why) in [
        ("none", "1", "none is unknown"),
        ("child.none", "1", "child.none is unknown"),
        ("children.count", "1", "children.count is unknown"),
        ("time.seconds", "1", "time.seconds is unknown"),
        ("count", "x", "count: expected a number"),
        ("gift", "1", "gift: expected true or false"),
        ("state", "NEW", "state: test.v1.State has no value \"NEW\""),
        ("shut", "7", "shut: test.v1.Shut has no value 7"),
        ("child.count", "", "child.count: expected a number"),
        ("child", "x", "child: expected an object, found a string"),
        ("byName", "x", "byName: expected an object, found a string"),
    ] {
        assert_eq!(texts(&[(path, text)]), Err(why.to_owned()));
    }
    let both = texts(&[("text", "a"), ("nested.count", "1")]);
    assert_eq!(both, Err("nested.count is unknown".to_owned()));
}

#[test]
fn a_body_can_be_one_field() {
    let mut order = read(r#"{"orderId": "a", "children": [{"count": 9}]}"#).unwrap();
    let mut set = |field: &str, json: &str| {
        read_field(&mut order, field, json.as_bytes(), &ReadOptions::DEFAULT)
    };
    assert_eq!(set("children", r#"[{"count": 1}, {}]"#), Ok(true));
    assert_eq!(set("child", r#"{"count": 2}"#), Ok(true));
    assert_eq!(set("states", r#"["STATE_OPEN"]"#), Ok(true));
    assert_eq!(set("by_name", r#"{"x": {}}"#), Ok(true));
    assert_eq!(set("count", " 3 "), Ok(true));
    assert_eq!(set("none", "3"), Ok(false));
    assert_eq!(
        order,
        read(
            r#"{"orderId": "a", "children": [{"count": 1}, {}], "child": {"count": 2},
                "states": [1], "byName": {"x": {}}, "count": 3}"#
        )
        .unwrap()
    );
    let mut set = |field: &str, json: &str| {
        read_field(&mut order, field, json.as_bytes(), &ReadOptions::DEFAULT)
    };
    assert_eq!(set("child", r#"{"count": "x"}"#).unwrap_err().path(), "child.count");
    assert_eq!(set("count", "3 4").unwrap_err().path(), "count");
}
