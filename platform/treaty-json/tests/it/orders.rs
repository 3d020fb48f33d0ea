//! A message with every sort of field, written by hand in the shape that is otherwise
//! generated.

use std::collections::BTreeMap;

use prost_types::{Any, Duration, FieldMask, ListValue, NullValue, Struct, Timestamp, Value};
use treaty_json::{Enum, EnumSchema, Error, Fields, Reader, Registry, Schema, Writer, field};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum State {
    Unspecified = 0,
    Open = 1,
    Closed = -3,
}

impl Enum for State {
    const SCHEMA: &'static EnumSchema = &EnumSchema::open(
        "test.v1.State",
        &[("STATE_UNSPECIFIED", 0), ("STATE_OPEN", 1), ("STATE_NEW", 1), ("STATE_CLOSED", -3)],
    );
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Shut {
    First = 0,
    Second = 2,
}

impl Enum for Shut {
    const SCHEMA: &'static EnumSchema =
        &EnumSchema::closed("test.v1.Shut", &[("FIRST", 0), ("SECOND", 2)]);
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Choice {
    #[prost(string, tag = "21")]
    Text(String),
    #[prost(message, tag = "22")]
    Nested(Box<Order>),
    #[prost(enumeration = "State", tag = "23")]
    Kind(i32),
    #[prost(enumeration = "NullValue", tag = "24")]
    Nothing(i32),
    #[prost(message, tag = "25")]
    Value(Value),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Order {
    #[prost(string, tag = "1")]
    pub(crate) order_id: String,
    #[prost(int32, tag = "2")]
    pub(crate) count: i32,
    #[prost(int64, tag = "3")]
    pub(crate) total: i64,
    #[prost(uint32, optional, tag = "4")]
    pub(crate) small: Option<u32>,
    #[prost(uint64, repeated, tag = "5")]
    pub(crate) large: Vec<u64>,
    #[prost(float, tag = "6")]
    pub(crate) weight: f32,
    #[prost(double, tag = "7")]
    pub(crate) price: f64,
    #[prost(bool, tag = "8")]
    pub(crate) gift: bool,
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) photo: Vec<u8>,
    #[prost(enumeration = "State", tag = "10")]
    pub(crate) state: i32,
    #[prost(enumeration = "State", repeated, tag = "11")]
    pub(crate) states: Vec<i32>,
    #[prost(enumeration = "Shut", optional, tag = "12")]
    pub(crate) shut: Option<i32>,
    #[prost(message, optional, boxed, tag = "13")]
    pub(crate) child: Option<Box<Order>>,
    #[prost(message, repeated, tag = "14")]
    pub(crate) children: Vec<Order>,
    #[prost(btree_map = "string, message", tag = "15")]
    pub(crate) by_name: BTreeMap<String, Order>,
    #[prost(btree_map = "int64, enumeration(State)", tag = "16")]
    pub(crate) by_number: BTreeMap<i64, i32>,
    #[prost(btree_map = "bool, double", tag = "17")]
    pub(crate) by_flag: BTreeMap<bool, f64>,
    #[prost(message, optional, tag = "18")]
    pub(crate) time: Option<Timestamp>,
    #[prost(message, optional, tag = "19")]
    pub(crate) wait: Option<Duration>,
    #[prost(message, optional, tag = "20")]
    pub(crate) mask: Option<FieldMask>,
    #[prost(oneof = "Choice", tags = "21, 22, 23, 24, 25")]
    pub(crate) choice: Option<Choice>,
    #[prost(message, optional, tag = "26")]
    pub(crate) any: Option<Any>,
    #[prost(message, optional, tag = "27")]
    pub(crate) data: Option<Struct>,
    #[prost(message, optional, tag = "28")]
    pub(crate) value: Option<Value>,
    #[prost(message, optional, tag = "29")]
    pub(crate) list: Option<ListValue>,
    #[prost(message, optional, tag = "30")]
    pub(crate) limit: Option<i64>,
    #[prost(message, optional, tag = "31")]
    pub(crate) nothing: Option<()>,
    #[prost(string, tag = "32")]
    pub(crate) odd: String,
}

treaty_json::messages!(Order);

impl Fields for Order {
    fn schema(&self) -> &'static Schema {
        SCHEMA
    }

    fn write_fields(&self, w: &mut Writer<'_>) {
        let f = SCHEMA.fields;
        w.implicit(&f[0], &self.order_id);
        w.implicit(&f[1], &self.count);
        w.implicit(&f[2], &self.total);
        w.optional(&f[3], &self.small);
        w.repeated(&f[4], &self.large);
        w.implicit(&f[5], &self.weight);
        w.implicit(&f[6], &self.price);
        w.implicit(&f[7], &self.gift);
        w.implicit(&f[8], &self.photo);
        w.implicit_enum::<State>(&f[9], self.state);
        w.repeated_enum::<State>(&f[10], &self.states);
        w.optional_enum::<Shut>(&f[11], self.shut);
        w.optional(&f[12], &self.child);
        w.repeated(&f[13], &self.children);
        w.map(&f[14], &self.by_name);
        w.map_enum::<State, _>(&f[15], &self.by_number);
        w.map(&f[16], &self.by_flag);
        w.optional(&f[17], &self.time);
        w.optional(&f[18], &self.wait);
        w.optional(&f[19], &self.mask);
        match &self.choice {
            Some(Choice::Text(value)) => w.required(&f[20], value),
            Some(Choice::Nested(value)) => w.required(&f[21], value),
            Some(Choice::Kind(value)) => w.required_enum::<State>(&f[22], *value),
            Some(Choice::Nothing(value)) => w.required_enum::<NullValue>(&f[23], *value),
            Some(Choice::Value(value)) => w.required(&f[24], value),
            None => {}
        }
        w.optional(&f[25], &self.any);
        w.optional(&f[26], &self.data);
        w.optional(&f[27], &self.value);
        w.optional(&f[28], &self.list);
        w.optional(&f[29], &self.limit);
        w.optional(&f[30], &self.nothing);
        w.implicit(&f[31], &self.odd);
    }

    fn read_field(&mut self, index: usize, r: &mut Reader<'_>) -> Result<(), Error> {
        match index {
            0 => r.implicit(&mut self.order_id),
            1 => r.implicit(&mut self.count),
            2 => r.implicit(&mut self.total),
            3 => r.optional(&mut self.small),
            4 => r.repeated(&mut self.large),
            5 => r.implicit(&mut self.weight),
            6 => r.implicit(&mut self.price),
            7 => r.implicit(&mut self.gift),
            8 => r.implicit(&mut self.photo),
            9 => r.implicit_enum::<State>(&mut self.state),
            10 => r.repeated_enum::<State>(&mut self.states),
            11 => r.optional_enum::<Shut>(&mut self.shut),
            12 => r.optional(&mut self.child),
            13 => r.repeated(&mut self.children),
            14 => r.map(&mut self.by_name),
            15 => r.map_enum::<State, _>(&mut self.by_number),
            16 => r.map(&mut self.by_flag),
            17 => r.optional(&mut self.time),
            18 => r.optional(&mut self.wait),
            19 => r.optional(&mut self.mask),
            20 => r.oneof(&mut self.choice, Choice::Text),
            21 => r.oneof(&mut self.choice, Choice::Nested),
            22 => r.oneof_enum::<State, _>(&mut self.choice, Choice::Kind),
            23 => r.oneof_enum::<NullValue, _>(&mut self.choice, Choice::Nothing),
            24 => r.oneof(&mut self.choice, Choice::Value),
            25 => r.optional(&mut self.any),
            26 => r.optional(&mut self.data),
            27 => r.optional(&mut self.value),
            28 => r.optional(&mut self.list),
            29 => r.optional(&mut self.limit),
            30 => r.optional(&mut self.nothing),
            31 => r.implicit(&mut self.odd),
            _ => Ok(()),
        }
    }

    fn child(&mut self, index: usize) -> Option<&mut dyn Fields> {
        match index {
            12 => Some(self.child.get_or_insert_default()),
            21 => match self.choice.get_or_insert_with(|| Choice::Nested(Box::default())) {
                Choice::Nested(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }
}

const SCHEMA: &Schema = &Schema {
    full_name: "test.v1.Order",
    fields: &[
        field!("orderId", "order_id"),
        field!("count"),
        field!("total"),
        field!("small"),
        field!("large"),
        field!("weight"),
        field!("price"),
        field!("gift"),
        field!("photo"),
        field!("state"),
        field!("states"),
        field!("shut"),
        field!("child"),
        field!("children"),
        field!("byName", "by_name"),
        field!("byNumber", "by_number"),
        field!("byFlag", "by_flag"),
        field!("time"),
        field!("wait"),
        field!("mask"),
        field!("text"),
        field!("nested"),
        field!("kind"),
        field!("nothingness"),
        field!("anyValue", "any_value"),
        field!("any"),
        field!("data"),
        field!("value"),
        field!("list"),
        field!("limit"),
        field!("nothing"),
        field!("od\"d", "odd", "od\\\"d"),
    ],
};

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.add::<Order>("test.v1.Order");
    registry
}

pub(crate) fn read(json: &str) -> Result<Order, Error> {
    treaty_json::from_slice(json.as_bytes())
}

/// Reads a text and writes it again.
pub(crate) fn again(json: &str) -> String {
    let order = read(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    treaty_json::to_string(&order).unwrap_or_else(|error| panic!("{json}: {error}"))
}
