//! The fields of a message as they stand in its bytes. Looking at them builds nothing, so that every call can be looked at.

use bytes::Buf as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// Whether any field that is given in a message, or in a message within it, is so by its descriptor and the bytes of its value;
/// a value that is a number has no bytes here. `None` for
/// bytes that are no message.
pub(crate) fn any(
    message: &MessageDescriptor,
    mut sent: &[u8],
    is_so: &impl Fn(&FieldDescriptor, &[u8]) -> bool,
) -> Option<bool> {
    while sent.has_remaining() {
        let (number, wire_type) = decode_key(&mut sent).ok()?;
        let value = match wire_type {
            WireType::LengthDelimited => delimited(&mut sent)?,
            _ => {
                skip_field(wire_type, number, &mut sent, DecodeContext::default()).ok()?;
                &[]
            }
        };
        let Some(field) = message.get_field(number) else {
            continue;
        };
        if is_so(&field, value) {
            return Some(true);
        }
        if let Kind::Message(inner) = field.kind()
            && any(&inner, value, is_so)?
        {
            return Some(true);
        }
    }
    Some(false)
}

fn delimited<'s>(sent: &mut &'s [u8]) -> Option<&'s [u8]> {
    let length = usize::try_from(decode_varint(sent).ok()?).ok()?;
    let (value, rest) = sent.split_at_checked(length)?;
    *sent = rest;
    Some(value)
}
