//! The other door: a built image gives the same files as the contracts themselves.

use std::collections::BTreeSet;

use codegen::corpus::{Size, contracts};
use codegen::load;
use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::support::{acme, acme_files, generate, load};

#[test]
fn an_image_gives_the_same_files() {
    let contracts = load(&acme()).unwrap();
    let contracts = load::from_image(contracts.image, contracts.roots).unwrap();
    assert_eq!(generate(&contracts).unwrap(), acme_files());
}

/// Whoever built the image chose the order of its files; that must not show.
#[test]
fn the_order_of_an_images_files_does_not_matter() {
    let contracts = load(&acme()).unwrap();
    let sorted = FileDescriptorSet::decode(contracts.image.as_slice()).unwrap();
    // Options of our own are unknown fields to this type, so the bytes are moved instead.
    let mut entries = entries(&contracts.image);
    let count = entries.len();
    for round in 0..3 {
        entries.reverse();
        // Some before others that import them, and the other way around.
        entries.rotate_left((round * 7 + 1) % count);
        let shuffled = entries.concat();
        let decoded = FileDescriptorSet::decode(shuffled.as_slice()).unwrap();
        assert_eq!(decoded.file.len(), sorted.file.len());
        let contracts = load::from_image(shuffled, contracts.roots.clone()).unwrap();
        assert_eq!(generate(&contracts).unwrap(), acme_files());
    }
}

/// Directories list their files in the order of their making, or in any other.
#[test]
fn the_order_of_a_directorys_files_does_not_matter() {
    let size = Size { messages: 200, rpcs: 40 };
    let mut corpus = contracts(size);
    let mut generated = Vec::new();
    for _ in 0..2 {
        let directory = tempfile::tempdir().unwrap();
        for file in &corpus {
            let path = directory.path().join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.contents).unwrap();
        }
        generated.push(generate(&load(directory.path()).unwrap()).unwrap());
        corpus.reverse();
    }
    assert_eq!(generated[0], generated[1]);
}

/// The encoded files of an image, each with its key and length.
fn entries(image: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = image;
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let before = rest;
        let (tag, wire_type) = prost::encoding::decode_key(&mut rest).unwrap();
        assert_eq!((tag, wire_type), (1, prost::encoding::WireType::LengthDelimited));
        let length = usize::try_from(prost::encoding::decode_varint(&mut rest).unwrap()).unwrap();
        rest = &rest[length..];
        entries.push(before[..before.len() - rest.len()].to_vec());
    }
    entries
}

#[test]
fn bytes_that_are_no_image_are_refused() {
    let mistake = load::from_image(b"no image".to_vec(), BTreeSet::new()).unwrap_err();
    let expected = "image: failed to decode file descriptor set\n  \
                    help: Build the image with its imports and source information.";
    assert_eq!(mistake.to_string(), expected);
}

#[test]
fn a_file_that_the_image_lacks_is_refused() {
    let contracts = load(&acme()).unwrap();
    let roots = BTreeSet::from(["acme/nowhere/v1/nowhere.proto".to_owned()]);
    let mistake = load::from_image(contracts.image, roots).unwrap_err();
    let expected = "acme/nowhere/v1/nowhere.proto: is not in the image\n  \
                    help: Name files as the image does, relative to their module.";
    assert_eq!(mistake.to_string(), expected);
}
