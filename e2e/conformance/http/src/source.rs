//! Just enough of the words of C++ and Go to find the tables in tests.

/// A word of a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A name or a number.
    Name(String),
    /// A text, without quotes and escapes. Texts that follow each other are one, as in C++.
    Text(String),
    /// Anything else, one character.
    Sign(char),
}

impl Word {
    pub fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    pub fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(known) if known == name)
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The words of a file, without comments.
pub fn words(source: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut rest = source.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '/' if rest.peek() == Some(&'/') => {
                while rest.next().is_some_and(|letter| letter != '\n') {}
            }
            '"' => {
                let text = text(&mut rest);
                match words.last_mut() {
                    Some(Word::Text(before)) => before.push_str(&text),
                    _ => words.push(Word::Text(text)),
                }
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                let mut name = String::from(letter);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    name.push(next);
                }
                words.push(Word::Name(name));
            }
            letter if letter.is_whitespace() => {}
            sign => words.push(Word::Sign(sign)),
        }
    }
    words
}

fn text(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(letter) = rest.next() {
        match letter {
            '"' => break,
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}

/// The texts in the next braces.
pub fn texts_in_braces(words: &[Word]) -> Vec<&Word> {
    let open = words.iter().position(|word| word.is('{')).unwrap_or(words.len());
    let inside = words[open..].iter().skip(1).take_while(|word| !word.is('}'));
    inside.filter(|word| !word.is(',')).collect()
}
