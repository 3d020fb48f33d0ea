//! Lines of Rust, indented.

use crate::emit::docs;

#[derive(Default)]
pub(super) struct Writer {
    text: String,
    depth: usize,
    /// Nothing was written since the beginning of the file or of a block.
    fresh: bool,
}

impl Writer {
    /// One line.
    pub(super) fn line(&mut self, line: &str) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
        self.text.push_str(line);
        self.text.push('\n');
        self.fresh = false;
    }

    /// A blank line before an item, unless it is the first one.
    pub(super) fn item(&mut self) {
        if !self.fresh && !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// The comment of the contract.
    pub(super) fn docs(&mut self, comment: &str) {
        for line in docs::lines(comment) {
            if line.is_empty() {
                self.line("///");
            } else {
                self.line(&format!("/// {line}"));
            }
        }
    }

    /// What stands inside of braces.
    pub(super) fn inside(&mut self, body: impl FnOnce(&mut Self)) {
        self.depth += 1;
        self.fresh = true;
        body(self);
        self.depth -= 1;
        self.fresh = false;
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
