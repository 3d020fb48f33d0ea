//! `google.protobuf.FieldMask`: paths in camel case, with commas between.

use prost_types::FieldMask;

use crate::{Error, Json, Reader, Writer};

impl Json for FieldMask {
    fn write_json(&self, writer: &mut Writer<'_>) {
        let mut text = String::new();
        for path in &self.paths {
            if !text.is_empty() {
                text.push(',');
            }
            if !push_camel(path, &mut text) {
                return writer.fail(format!("the path {path:?} has no form in camel case"));
            }
        }
        writer.string(&text);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let at = reader.position();
        let text = reader.string()?;
        self.paths.clear();
        if text.is_empty() {
            return Ok(());
        }
        for path in text.split(',') {
            let snake = snake(path);
            self.paths.push(snake.ok_or_else(|| reader.wrong(at, "expected paths in camel case"))?);
        }
        Ok(())
    }
}

/// Appends a path in camel case; false when it would not come back as it was.
fn push_camel(path: &str, text: &mut String) -> bool {
    let mut after_underscore = false;
    for character in path.chars() {
        match character {
            '_' if !after_underscore => after_underscore = true,
            'a'..='z' if after_underscore => {
                text.push(character.to_ascii_uppercase());
                after_underscore = false;
            }
            // A comma would make two paths of it.
            'A'..='Z' | ',' => return false,
            _ if after_underscore => return false,
            other => text.push(other),
        }
    }
    !after_underscore
}

/// A path of JSON as in the contract.
fn snake(path: &str) -> Option<String> {
    if path.is_empty() || path.contains('_') {
        return None;
    }
    let mut snake = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    Some(snake)
}
