//! Server-sent events, as the WHATWG HTML standard (section 9.2) has a client read them: bytes in,
//! events out. No I/O here.

/// Most that one event may take; a feed entry is far smaller.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Event {
    /// Its type; empty means `message`.
    pub name: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
    /// The last id seen so far.
    pub id: String,
}

/// Reads a stream of events piece by piece.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_return: bool,
    event: Event,
    has_data: bool,
    /// What the server asked to wait before reconnecting, in milliseconds.
    pub retry_ms: Option<u64>,
}

/// An event beyond [`EVENT_BYTES_MAX`], or a line that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the feed sent an event that is too long or not UTF-8")]
pub struct BadStream;

impl Parser {
    /// Takes the next bytes and appends the events that they complete.
    ///
    /// # Errors
    /// [`BadStream`]; the connection must then be given up.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), BadStream> {
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.line(&line, events)?;
                }
                _ if self.line.len() + self.event.data.len() >= EVENT_BYTES_MAX => {
                    return Err(BadStream);
                }
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], events: &mut Vec<Event>) -> Result<(), BadStream> {
        let line = str::from_utf8(line).map_err(|_| BadStream)?;
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                events.push(self.event.clone());
            }
            self.event.name.clear();
            self.event.data.clear();
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            "event" => self.event.name = value.into(),
            "id" if !value.contains('\0') => self.event.id = value.into(),
            "retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            // Comments (an empty field name) keep the connection alive; others are for later versions.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(pieces: &[&str]) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.feed(piece.as_bytes(), &mut events).unwrap();
        }
        events
    }

    #[test]
    fn events_come_out_however_the_bytes_are_cut() {
        let text = ": hello\r\nid: 1.7\nevent: entry\ndata: {\ndata: }\n\nretry: 250\ndata:x\r\r";
        let whole = read(&[text]);
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0].data, "{\n}");
        assert_eq!((whole[0].name.as_str(), whole[0].id.as_str()), ("entry", "1.7"));
        assert_eq!((whole[1].data.as_str(), whole[1].id.as_str()), ("x", "1.7"));
        let pieces: Vec<String> = text.chars().map(String::from).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(read(&pieces), whole);
    }

    #[test]
    fn an_unfinished_event_is_none() {
        assert!(read(&["data: x\n"]).is_empty());
        assert!(read(&["id: 1\n\n", ": only a comment\n\n"]).is_empty());
    }

    #[test]
    fn endless_lines_are_refused() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; EVENT_BYTES_MAX + 1];
        assert_eq!(parser.feed(&chunk, &mut Vec::new()), Err(BadStream));
    }
}
