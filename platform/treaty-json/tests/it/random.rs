//! Random messages and random bytes. The seed is printed; `TREATY_JSON_SEED` repeats it.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Duration, FieldMask, Struct, Timestamp, Value};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use treaty_json::{ReadOptions, Unknown, WriteOptions, from_slice_with, to_vec_with};

use crate::orders::{Choice, Order, registry};

fn random() -> StdRng {
    let given = std::env::var("TREATY_JSON_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| rand::rng().next_u64());
    println!("TREATY_JSON_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

fn text(random: &mut StdRng) -> String {
    let length = random.random_range(0..20);
    (0..length)
        .map(|_| match random.random_range(0..4) {
            0 => char::from(random.random_range(0..0x80_u8)),
            1 => random.random(),
            _ => char::from(random.random_range(b'a'..=b'z')),
        })
        .collect()
}

fn list<T>(random: &mut StdRng, mut make: impl FnMut(&mut StdRng) -> T) -> Vec<T> {
    (0..random.random_range(0..4)).map(|_| make(random)).collect()
}

fn finite(random: &mut StdRng) -> f64 {
    let number = f64::from_bits(random.random());
    if number.is_finite() { number } else { 0.5 }
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    let kind = match random.random_range(0..if depth == 0 { 4 } else { 6 }) {
        0 => Kind::NullValue(0),
        1 => Kind::NumberValue(finite(random)),
        2 => Kind::StringValue(text(random)),
        3 => Kind::BoolValue(random.random()),
        4 => Kind::ListValue(prost_types::ListValue {
            values: list(random, |random| value(random, depth - 1)),
        }),
        _ => Kind::StructValue(Struct {
            fields: list(random, |random| (text(random), value(random, depth - 1)))
                .into_iter()
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

fn order(random: &mut StdRng, depth: u32) -> Order {
    let deeper = depth.saturating_sub(1);
    let has_children = depth > 0;
    Order {
        order_id: text(random),
        count: random.random(),
        total: random.random(),
        small: random.random::<bool>().then(|| random.random()),
        large: list(random, |random| random.random()),
        weight: f32::from_bits(random.random()),
        price: f64::from_bits(random.random()),
        gift: random.random(),
        photo: list(random, |random| random.random()),
        state: random.random_range(-4..4),
        states: list(random, |random| random.random_range(-4..4)),
        shut: random.random::<bool>().then(|| random.random_range(0..2) * 2),
        child: (has_children && random.random()).then(|| Box::new(order(random, deeper))),
        children: if has_children { list(random, |random| order(random, deeper)) } else { vec![] },
        by_name: if has_children {
            list(random, |random| (text(random), order(random, 0))).into_iter().collect()
        } else {
            BTreeMap::new()
        },
        by_number: list(random, |random| (random.random(), 1)).into_iter().collect(),
        by_flag: list(random, |random| (random.random(), finite(random))).into_iter().collect(),
        time: random.random::<bool>().then(|| Timestamp {
            seconds: random.random_range(-62_135_596_800..=253_402_300_799),
            nanos: random.random_range(0..1_000_000_000),
        }),
        wait: random.random::<bool>().then(|| Duration {
            seconds: random.random_range(0..=315_576_000_000),
            nanos: random.random_range(0..1_000_000_000),
        }),
        mask: random.random::<bool>().then(|| FieldMask { paths: vec!["foo_bar.baz".to_owned()] }),
        choice: match random.random_range(0..5) {
            0 => Some(Choice::Text(text(random))),
            1 if has_children => Some(Choice::Nested(Box::new(order(random, deeper)))),
            2 => Some(Choice::Kind(random.random())),
            3 => Some(Choice::Value(value(random, depth))),
            _ => None,
        },
        any: (has_children && random.random()).then(|| prost_types::Any {
            type_url: "type.googleapis.com/test.v1.Order".to_owned(),
            value: prost::Message::encode_to_vec(&order(random, 0).without_any()),
        }),
        value: random.random::<bool>().then(|| value(random, depth)),
        limit: random.random::<bool>().then(|| random.random()),
        nothing: random.random::<bool>().then_some(()),
        odd: text(random),
        ..Order::default()
    }
}

impl Order {
    fn without_any(mut self) -> Self {
        self.any = None;
        self
    }
}

/// Messages by their bytes, so that NaN is what it was. JSON has one NaN alone.
fn bytes(mut order: Order) -> Vec<u8> {
    fn settle(order: &mut Order) {
        if order.weight.is_nan() {
            order.weight = f32::NAN;
        }
        if order.price.is_nan() {
            order.price = f64::NAN;
        }
        if let Some(child) = &mut order.child {
            settle(child);
        }
        if let Some(Choice::Nested(child)) = &mut order.choice {
            settle(child);
        }
        if let Some(any) = &mut order.any {
            let mut held: Order = prost::Message::decode(any.value.as_slice()).unwrap();
            settle(&mut held);
            any.value = prost::Message::encode_to_vec(&held);
        }
        order.children.iter_mut().for_each(settle);
        order.by_name.values_mut().for_each(settle);
    }
    settle(&mut order);
    prost::Message::encode_to_vec(&order)
}

#[test]
fn every_message_comes_back() {
    let mut random = random();
    let registry = registry();
    for _ in 0..2_000 {
        let order = order(&mut random, 2);
        let write = WriteOptions {
            defaults: random.random(),
            proto_names: random.random(),
            enum_numbers: random.random(),
            registry: Some(&registry),
        };
        let json = to_vec_with(&order, &write).unwrap();
        // Another parser agrees that it is JSON.
        serde_json::from_slice::<serde::de::IgnoredAny>(&json).unwrap();
        let read = ReadOptions { registry: Some(&registry), ..ReadOptions::DEFAULT };
        let again: Order = from_slice_with(&json, &read)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&json)));
        assert_eq!(bytes(again), bytes(order), "{}", String::from_utf8_lossy(&json));
    }
}

#[test]
fn no_bytes_do_harm() {
    let mut random = random();
    let registry = registry();
    let pieces: [&[u8]; 26] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\\u",
        b"d83d",
        b"null",
        b"true",
        b"-",
        b"1",
        b"e5",
        b".0",
        b" ",
        b"\"orderId\"",
        b"\"any\"",
        b"\"@type\"",
        b"\"x/test.v1.Order\"",
        b"\"value\"",
        b"\"child\"",
        b"\"time\"",
        b"\"2024-02-29T23:59:59.5Z\"",
        b"\xff",
    ];
    let original = to_vec_with(
        &order(&mut random, 2),
        &WriteOptions { registry: Some(&registry), ..WriteOptions::DEFAULT },
    )
    .unwrap();
    let mut accepted = 0;
    for round in 0..100_000 {
        let bytes: Vec<u8> = if round % 2 == 0 {
            (0..random.random_range(0..30))
                .flat_map(|_| pieces[random.random_range(0..pieces.len())].iter().copied())
                .collect()
        } else {
            // A real text with a few bytes changed, cut or doubled.
            let mut bytes = original.clone();
            for _ in 0..random.random_range(1..4) {
                let place = random.random_range(0..bytes.len());
                match random.random_range(0..3) {
                    0 => bytes[place] = random.random(),
                    1 => bytes.truncate(place.max(1)),
                    _ => bytes.insert(place, bytes[place]),
                }
            }
            bytes.truncate(1_000);
            bytes
        };
        let unknown = if random.random() { Unknown::Ignore } else { Unknown::Refuse };
        let options = ReadOptions { unknown, max_depth: 20, registry: Some(&registry) };
        let read = from_slice_with::<Order>(&bytes, &options);
        accepted += usize::from(read.is_ok());
        if read.is_ok() {
            let another = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
            assert!(another.is_ok(), "{}", String::from_utf8_lossy(&bytes));
        }
    }
    println!("{accepted} of 100000 texts were accepted");
}
