//! Who is measured: one message, written and read in one way.

use std::hint::black_box;

use anyhow::{Result, ensure};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use treaty_json::Json;

pub const OURS: &str = "treaty-json";
pub const PBJSON: &str = "pbjson";

/// One way to write and to read a message.
pub struct Peer {
    pub name: &'static str,
    pub write: Box<dyn FnMut()>,
    pub read: Box<dyn FnMut()>,
}

impl Peer {
    fn new<M: PartialEq + 'static>(
        name: &'static str,
        message: M,
        write: impl Fn(&M) -> Option<Vec<u8>> + 'static,
        text: Vec<u8>,
        read: impl Fn(&[u8]) -> Option<M> + 'static,
    ) -> Result<Self> {
        let again = write(&message).and_then(|written| read(&written));
        ensure!(again.as_ref() == Some(&message), "{name} does not read what it writes");
        ensure!(read(&text).as_ref() == Some(&message), "{name} does not read the text");
        Ok(Self {
            name,
            write: Box::new(move || {
                black_box(write(black_box(&message)));
            }),
            read: Box::new(move || {
                black_box(read(black_box(&text)));
            }),
        })
    }
}

/// All ways for a message, which is also `Theirs` when prost-build and pbjson make it.
pub fn of<Ours, Theirs>(message: &Ours) -> Result<Vec<Peer>>
where
    Ours: Message + Json + Clone + PartialEq + 'static,
    Theirs: Message + Default + Serialize + DeserializeOwned + PartialEq + 'static,
{
    let text = treaty_json::to_vec(message)?;
    let binary = message.encode_to_vec();
    let theirs = Theirs::decode(binary.as_slice())?;
    Ok(vec![
        Peer::new(
            OURS,
            message.clone(),
            |message| treaty_json::to_vec(message).ok(),
            text.clone(),
            |text| treaty_json::from_slice(text).ok(),
        )?,
        Peer::new(
            PBJSON,
            theirs,
            |message| serde_json::to_vec(message).ok(),
            text,
            |text| serde_json::from_slice(text).ok(),
        )?,
        Peer::new(
            "prost, binary",
            message.clone(),
            |message| Some(message.encode_to_vec()),
            binary,
            |bytes| Ours::decode(bytes).ok(),
        )?,
    ])
}
