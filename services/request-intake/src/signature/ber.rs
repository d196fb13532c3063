//! Reads and normalises ASN.1 encodings. Signing programs write containers with indefinite lengths and strings in pieces (BER);
//! what is signed, and certificates, are DER. Everything here is bounded by the length of its input and by `DEPTH`.

use super::Fault;

/// How deep elements may lie in one another. A container of certificates with long chains has about twenty.
const DEPTH: usize = 40;

pub const INTEGER: u8 = 0x02;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

const CONSTRUCTED: u8 = 0x20;
/// The tag's number follows in bytes of its own; nothing in a container has one.
const LONG_TAG: u8 = 0x1f;

/// The tag `[number]` of an element with others in it.
pub const fn context(number: u8) -> u8 {
    0xa0 | number
}

const fn malformed(what: &'static str) -> Fault {
    Fault::Malformed(what)
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    pub tag: u8,
    pub contents: &'a [u8],
    /// With tag and length.
    pub whole: &'a [u8],
}

/// Reads the elements of an encoding that is DER in its lengths.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub fn any(&mut self) -> Result<Element<'a>, Fault> {
        let (tag, length, head) = head(self.0)?;
        let end = length.and_then(|length| head.checked_add(length));
        let end = end.filter(|end| *end <= self.0.len());
        let end = end.ok_or(malformed("an element is longer than what holds it"))?;
        let (whole, rest) = self.0.split_at(end);
        self.0 = rest;
        Ok(Element {
            tag,
            contents: &whole[head..],
            whole,
        })
    }

    pub fn expect(&mut self, tag: u8) -> Result<Element<'a>, Fault> {
        if self.tag() != Some(tag) {
            return Err(malformed("an element is missing, or another stands in its place"));
        }
        self.any()
    }

    pub fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Fault> {
        if self.tag() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// What an element of this tag holds.
    pub fn inner(&mut self, tag: u8) -> Result<Self, Fault> {
        self.expect(tag).map(|element| Self(element.contents))
    }

    /// All elements that follow, at most so many.
    pub fn all(mut self, most: usize) -> Result<Vec<Element<'a>>, Fault> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            if elements.len() == most {
                return Err(malformed(
                    "it holds more certificates, signers or attributes than are looked at",
                ));
            }
            elements.push(self.any()?);
        }
        Ok(elements)
    }
}

/// The tag, the length if it is definite, and how many bytes both take.
fn head(input: &[u8]) -> Result<(u8, Option<usize>, usize), Fault> {
    let (&tag, rest) = input.split_first().ok_or(malformed("it ends too early"))?;
    if tag & LONG_TAG == LONG_TAG {
        return Err(malformed("an element has a tag that no container has"));
    }
    let (&first, rest) = rest.split_first().ok_or(malformed("it ends too early"))?;
    match first {
        0..=0x7f => Ok((tag, Some(usize::from(first)), 2)),
        0x80 => Ok((tag, None, 2)),
        _ => {
            let count = usize::from(first & 0x7f);
            let bytes = rest.get(..count).ok_or(malformed("it ends too early"))?;
            // More than four bytes of length would be more than any container has.
            let significant = bytes.iter().skip_while(|byte| **byte == 0).count();
            if significant > 4 {
                return Err(malformed("an element is longer than what holds it"));
            }
            let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            Ok((tag, Some(length), 2 + count))
        }
    }
}

/// The one element of the input with definite lengths, shortest lengths and octet strings in one piece.
pub fn normalised(input: &[u8]) -> Result<Vec<u8>, Fault> {
    // A definite length can take a few bytes more than an indefinite one.
    let mut output = Vec::with_capacity(input.len() + 4096);
    let rest = rewrite(input, DEPTH, &mut output)?;
    if rest.is_empty() {
        Ok(output)
    } else {
        Err(malformed("something follows its end"))
    }
}

fn rewrite<'a>(input: &'a [u8], depth: usize, output: &mut Vec<u8>) -> Result<&'a [u8], Fault> {
    let depth = depth
        .checked_sub(1)
        .ok_or(malformed("its elements lie too deep in one another"))?;
    let (tag, length, head) = head(input)?;
    let body = &input[head..];
    let begin = output.len();
    let is_constructed = tag & CONSTRUCTED != 0;
    let rest = match length {
        Some(length) if length > body.len() => return Err(malformed("an element is longer than what holds it")),
        Some(length) => {
            let (mut contents, rest) = body.split_at(length);
            if is_constructed {
                while !contents.is_empty() {
                    contents = rewrite(contents, depth, output)?;
                }
            } else {
                output.extend_from_slice(contents);
            }
            rest
        }
        None if !is_constructed => {
            return Err(malformed("an element without others in it does not say how long it is"));
        }
        None => {
            let mut contents = body;
            loop {
                if let Some(rest) = contents.strip_prefix(&[0, 0]) {
                    break rest;
                }
                contents = rewrite(contents, depth, output)?;
            }
        }
    };
    let mut tag = tag;
    if tag == OCTET_STRING | CONSTRUCTED {
        tag = OCTET_STRING;
        join_pieces(output, begin)?;
    }
    let mut written = [0; 6];
    let written = write_head(tag, output.len() - begin, &mut written);
    output.splice(begin..begin, written.iter().copied());
    Ok(rest)
}

/// Makes one string of the pieces from here on.
fn join_pieces(output: &mut Vec<u8>, begin: usize) -> Result<(), Fault> {
    let (mut from, mut to) = (begin, begin);
    while from < output.len() {
        let mut reader = Reader(&output[from..]);
        let piece = reader.expect(OCTET_STRING)?;
        let (whole, length) = (piece.whole.len(), piece.contents.len());
        output.copy_within(from + whole - length..from + whole, to);
        from += whole;
        to += length;
    }
    output.truncate(to);
    Ok(())
}

/// Writes tag and length. No input has more than `u32::MAX` bytes: see [`super::MAX_CONTAINER`].
fn write_head(tag: u8, length: usize, into: &mut [u8; 6]) -> &[u8] {
    into[0] = tag;
    let bytes = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
    let needed = &bytes[skipped..];
    if length < 0x80 {
        into[1] = bytes[3];
        return &into[..2];
    }
    into[1] = 0x80 | [0, 1, 2, 3, 4][needed.len()];
    into[2..2 + needed.len()].copy_from_slice(needed);
    &into[..2 + needed.len()]
}

/// An element of this tag around these contents.
pub fn write(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut head = [0; 6];
    let head = write_head(tag, contents.len(), &mut head);
    [head, contents].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_become_definite_and_strings_whole() {
        let given = [
            0x30, 0x80, // a sequence of unknown length
            0x24, 0x80, 0x04, 0x01, b'a', 0x24, 0x04, 0x04, 0x02, b'b', b'c', 0x00,
            0x00, // "a" and "bc" in pieces
            0x02, 0x81, 0x01, 0x07, // a number with a long length
            0x00, 0x00,
        ];
        let expected = [0x30, 0x08, 0x04, 0x03, b'a', b'b', b'c', 0x02, 0x01, 0x07];
        assert_eq!(normalised(&given), Ok(expected.to_vec()));
        assert_eq!(normalised(&expected), Ok(expected.to_vec()));
    }

    #[test]
    fn long_lengths_are_written_and_read() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x100_0000] {
            let whole = write(OCTET_STRING, &vec![7; length]);
            let read = Reader(&whole).expect(OCTET_STRING).expect("it is one");
            assert_eq!((read.contents.len(), read.whole.len()), (length, whole.len()));
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused_and_does_not_overflow_the_stack() {
        for (byte, length) in [([0x30, 0x80], 1_000_000), ([0x24, 0x80], 1_000_000)] {
            let deep = byte.repeat(length);
            assert!(normalised(&deep).is_err());
        }
    }

    #[test]
    fn an_element_longer_than_what_is_there_is_refused() {
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x05, 0x02, 0x01, 0x01],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x3f, 0x01, 0x00],
            &[0x30, 0x80, 0x02, 0x01, 0x01],
            &[0x30, 0x00, 0x00],
        ] {
            assert!(normalised(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_is_normal_stays(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(normal) = normalised(&bytes) {
                prop_assert_eq!(normalised(&normal), Ok(normal.clone()));
            }
        }
    }
}
