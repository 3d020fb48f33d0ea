//! What a NATS client sends: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

/// Takes messages out of what a client sends. Knows where commands begin, whatever pieces they
/// come in, from the beginning of the connection on.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// The beginning of a command whose end has not come yet.
    begun: Vec<u8>,
}

impl Commands {
    /// The bytes that are to be sent on without the messages whose subject begins with `prefix`,
    /// and how many those were.
    pub(super) fn without(&mut self, bytes: &[u8], prefix: &str) -> (Vec<u8>, u64) {
        self.begun.extend_from_slice(bytes);
        let mut rest = Vec::with_capacity(self.begun.len());
        let mut swallowed = 0;
        let mut start = 0;
        while let Some(command) = Command::first(&self.begun[start..]) {
            let end = start + command.length;
            if command.subject.is_some_and(|subject| subject.starts_with(prefix)) {
                swallowed += 1;
            } else {
                rest.extend_from_slice(&self.begun[start..end]);
            }
            start = end;
        }
        self.begun.drain(..start);
        (rest, swallowed)
    }

    /// The bytes that are to be sent on when everything is. A command is held until it has come
    /// whole, so that a fault which begins in its midst meets commands.
    pub(super) fn all(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.begun.extend_from_slice(bytes);
        let mut end = 0;
        while let Some(command) = Command::first(&self.begun[end..]) {
            end += command.length;
        }
        self.begun.drain(..end).collect()
    }
}

struct Command<'a> {
    length: usize,
    /// Of a message that is published.
    subject: Option<&'a str>,
}

impl<'a> Command<'a> {
    /// The command at the beginning, if it is whole.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let line_end = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let line = std::str::from_utf8(&bytes[..line_end]).unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let verb = words.next().unwrap_or_default();
        if !verb.eq_ignore_ascii_case("PUB") && !verb.eq_ignore_ascii_case("HPUB") {
            return Some(Self { length: line_end, subject: None });
        }
        let subject = words.next();
        let payload: usize = words.last().and_then(|size| size.parse().ok()).unwrap_or(0);
        let length = line_end + payload + 2;
        (bytes.len() >= length).then_some(Self { length, subject })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &[u8] = b"CONNECT {}\r\nPUB a.b r 3\r\nx\r\n\r\nHPUB c.d 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB a.c 2\r\nno\r\nPING\r\n";
    const LEFT: &[u8] = b"CONNECT {}\r\nHPUB c.d 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING\r\n";

    #[test]
    fn messages_are_found_however_they_are_cut() {
        for size in 1..SENT.len() {
            let mut commands = Commands::default();
            let (mut rest, mut swallowed) = (Vec::new(), 0);
            for piece in SENT.chunks(size) {
                let (more, count) = commands.without(piece, "a.");
                rest.extend(more);
                swallowed += count;
            }
            assert_eq!(rest, LEFT, "pieces of {size}");
            assert_eq!(swallowed, 2);
        }
    }

    #[test]
    fn nothing_is_lost_where_a_fault_begins_and_ends() {
        for cut in 1..SENT.len() {
            let mut commands = Commands::default();
            let mut sent = commands.all(&SENT[..cut]);
            sent.extend(commands.without(&[], "nothing").0);
            sent.extend(commands.all(&SENT[cut..]));
            assert_eq!(sent, SENT, "cut at {cut}");
        }
    }
}
