//! Which messages hold each other, and what follows from it for their Rust types: a field
//! whose type holds itself is boxed; what holds neither heap nor floating point can be
//! `Copy`, `Eq` and `Hash`.
//!
//! Both are found in time linear in the number of fields, and without recursion, so that
//! no contract can exhaust the stack.

use std::collections::BTreeMap;

use crate::model::{Derives, Field, FieldCardinality, FieldType, Message, Model, Scalar, TypeRef};

/// Messages by number, with those that each holds without a list between them.
struct Graph {
    holds: Vec<Vec<usize>>,
}

/// Fills in `boxed` and `derives`.
pub(super) fn resolve(model: &mut Model) {
    let messages: Vec<&Message> =
        model.packages.iter().flat_map(|package| &package.messages).collect();
    let numbers: BTreeMap<&str, usize> =
        messages.iter().enumerate().map(|(at, message)| (message.full_name.as_str(), at)).collect();
    let graph = Graph::new(&messages, &numbers);
    let cycles = graph.components();
    let boxed = |message: usize, field: &Field| {
        let target = held(field, &numbers);
        target.is_some_and(|target| cycles[target] == cycles[message])
    };
    let boxes: Vec<Vec<bool>> = messages
        .iter()
        .enumerate()
        .map(|(at, message)| message.fields.iter().map(|field| boxed(at, field)).collect())
        .collect();
    let derives = derives(&messages, &numbers, &boxes);
    let mut boxes = boxes.into_iter();
    let known: BTreeMap<String, Derives> =
        numbers.iter().map(|(name, at)| ((*name).to_owned(), derives[*at])).collect();
    for message in model.packages.iter_mut().flat_map(|package| &mut package.messages) {
        for (field, boxed) in message.fields.iter_mut().zip(boxes.next().unwrap_or_default()) {
            field.boxed = boxed;
        }
        message.derives = known.get(&message.full_name).copied().unwrap_or_default();
        for index in 0..message.oneofs.len() {
            let derives = all(message.variants(index).map(|field| of(field, &known)));
            if let Some(oneof) = message.oneofs.get_mut(index) {
                oneof.derives = derives;
            }
        }
    }
}

/// The message that a field holds within itself.
fn held(field: &Field, numbers: &BTreeMap<&str, usize>) -> Option<usize> {
    let FieldType::Message { full_name, .. } = &field.ty else { return None };
    let inline =
        !matches!(field.cardinality, FieldCardinality::Repeated | FieldCardinality::Map(_));
    inline.then(|| numbers.get(full_name.as_str()).copied()).flatten()
}

impl Graph {
    fn new(messages: &[&Message], numbers: &BTreeMap<&str, usize>) -> Self {
        let holds = messages.iter().map(|message| {
            message.fields.iter().filter_map(|field| held(field, numbers)).collect()
        });
        Self { holds: holds.collect() }
    }

    /// The strongly connected component of each message (Tarjan 1972): messages of one
    /// component hold each other. One alone counts as one with itself.
    fn components(&self) -> Vec<usize> {
        const NONE: usize = usize::MAX;
        let count = self.holds.len();
        let (mut order, mut low) = (vec![NONE; count], vec![NONE; count]);
        let mut component = vec![NONE; count];
        let (mut next, mut open, mut work) = (0, Vec::new(), Vec::new());
        for root in 0..count {
            if order[root] != NONE {
                continue;
            }
            work.push((root, 0));
            while let Some((node, edge)) = work.pop() {
                if edge == 0 {
                    (order[node], low[node]) = (next, next);
                    next += 1;
                    open.push(node);
                }
                if let Some(&target) = self.holds[node].get(edge) {
                    work.push((node, edge + 1));
                    if order[target] == NONE {
                        work.push((target, 0));
                    } else if component[target] == NONE {
                        low[node] = low[node].min(order[target]);
                    }
                    continue;
                }
                if low[node] == order[node] {
                    while let Some(member) = open.pop() {
                        component[member] = node;
                        if member == node {
                            break;
                        }
                    }
                }
                if let Some(&(parent, _)) = work.last() {
                    low[parent] = low[parent].min(low[node]);
                }
            }
        }
        component
    }
}

/// Assumes the best of every message and takes away what one of its fields forbids, until
/// nothing changes.
fn derives(
    messages: &[&Message],
    numbers: &BTreeMap<&str, usize>,
    boxes: &[Vec<bool>],
) -> Vec<Derives> {
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); messages.len()];
    for (at, message) in messages.iter().enumerate() {
        for field in &message.fields {
            if let FieldType::Message { full_name, .. } = &field.ty
                && let Some(&target) = numbers.get(full_name.as_str())
            {
                users[target].push(at);
            }
        }
    }
    let mut found = vec![Derives { copy: true, eq: true }; messages.len()];
    let mut pending: Vec<usize> = (0..messages.len()).collect();
    while let Some(at) = pending.pop() {
        let fields = messages[at].fields.iter().zip(&boxes[at]).map(|(field, boxed)| {
            let mut derives = match &field.ty {
                FieldType::Message { full_name, .. } => match numbers.get(full_name.as_str()) {
                    Some(&target) => shape(field, found[target]),
                    None => of_field(field),
                },
                _ => of_field(field),
            };
            derives.copy &= !boxed;
            derives
        });
        let now = all(fields);
        if now != found[at] {
            found[at] = now;
            pending.extend(&users[at]);
        }
    }
    found
}

fn all(parts: impl Iterator<Item = Derives>) -> Derives {
    parts.fold(Derives { copy: true, eq: true }, |whole, part| Derives {
        copy: whole.copy && part.copy,
        eq: whole.eq && part.eq,
    })
}

/// What a field can be once all messages are known.
fn of(field: &Field, known: &BTreeMap<String, Derives>) -> Derives {
    let mut derives = match &field.ty {
        FieldType::Message { full_name, .. } => match known.get(full_name) {
            Some(derives) => shape(field, *derives),
            None => of_field(field),
        },
        _ => of_field(field),
    };
    derives.copy &= !field.boxed;
    derives
}

/// What a field can be by its type, which is no message of the model.
fn of_field(field: &Field) -> Derives {
    let value = match &field.ty {
        FieldType::Enum { .. } => Derives { copy: true, eq: true },
        FieldType::Scalar(Scalar::String | Scalar::Bytes) => Derives { copy: false, eq: true },
        FieldType::Scalar(Scalar::Double | Scalar::Float) => Derives { copy: true, eq: false },
        FieldType::Scalar(_) => Derives { copy: true, eq: true },
        FieldType::Message { rust, .. } => well_known(rust),
    };
    shape(field, value)
}

/// What a field of values of this kind can be.
fn shape(field: &Field, value: Derives) -> Derives {
    match field.cardinality {
        FieldCardinality::Map(_) | FieldCardinality::Repeated => {
            Derives { copy: false, eq: value.eq }
        }
        _ => value,
    }
}

/// What the library's types are.
fn well_known(rust: &TypeRef) -> Derives {
    match rust.path.as_str() {
        "BoolValue" | "Duration" | "Empty" | "Int32Value" | "Int64Value" | "NullValue"
        | "Timestamp" | "UInt32Value" | "UInt64Value" => Derives { copy: true, eq: true },
        "Any" | "BytesValue" | "FieldMask" | "StringValue" => Derives { copy: false, eq: true },
        "DoubleValue" | "FloatValue" => Derives { copy: true, eq: false },
        _ => Derives { copy: false, eq: false },
    }
}

#[cfg(test)]
mod tests;
