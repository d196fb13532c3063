//! Random messages by reflection: whatever the contracts take, without a line for any method.

use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value};

use super::words::{happens, number, one_of, word};
use crate::dice::Dice;

/// How deep messages stand in messages.
const DEEP: u32 = 5;

/// A message of this type.
pub fn any(descriptor: &MessageDescriptor, dice: &mut Dice) -> DynamicMessage {
    within(descriptor, DEEP, dice)
}

fn within(descriptor: &MessageDescriptor, depth: u32, dice: &mut Dice) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if happens(if depth == 0 { 0 } else { 70 }, dice) {
            message.set_field(&field, value(&field, depth - 1, dice));
        }
    }
    message
}

fn value(field: &FieldDescriptor, depth: u32, dice: &mut Dice) -> Value {
    if field.is_map() {
        let entry = field.kind();
        let entry = entry.as_message().expect("a map has entries").map_entry_value_field();
        let key = MapKey::String(word(field.name(), dice));
        return Value::Map([(key, single(&entry, depth, dice))].into());
    }
    if !field.is_list() {
        return single(field, depth, dice);
    }
    let count = match dice.up_to(1000) {
        1 => 1500,
        2..=20 => 30,
        _ => dice.up_to(3),
    };
    Value::List((0..count).map(|_| single(field, depth, dice)).collect())
}

fn single(field: &FieldDescriptor, depth: u32, dice: &mut Dice) -> Value {
    let name = field.name();
    let mut whole = || number(name, dice);
    match field.kind() {
        Kind::Bool => Value::Bool(happens(50, dice)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(whole() as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(whole()),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(whole() as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(whole() as u64),
        Kind::Float => Value::F32(one_of(&[0.0, -0.0, 1.5, f32::NAN, f32::INFINITY, f32::MIN], dice)),
        Kind::Double => Value::F64(one_of(&[0.0, -0.0, 1.5, f64::NAN, f64::NEG_INFINITY, f64::MAX], dice)),
        Kind::String => Value::String(word(name, dice)),
        Kind::Bytes => {
            let length = if happens(1, dice) {
                1024 * 1024 + 1
            } else {
                dice.up_to(3000) - 1
            };
            Value::Bytes(Bytes::from(vec![dice.up_to(255) as u8; length as usize]))
        }
        Kind::Enum(kind) => {
            let known: Vec<i32> = kind.values().map(|value| value.number()).collect();
            Value::EnumNumber(if happens(90, dice) {
                one_of(&known, dice)
            } else {
                number(name, dice) as i32
            })
        }
        Kind::Message(kind) => Value::Message(within(&kind, depth.max(1), dice)),
    }
}

/// Changes some fields of a message, at any depth.
pub fn change(message: &mut DynamicMessage, dice: &mut Dice) {
    let fields: Vec<FieldDescriptor> = message.descriptor().fields().collect();
    if fields.is_empty() {
        return;
    }
    let place = dice.up_to(fields.len() as u64) - 1;
    let field = &fields[place as usize];
    if message.has_field(field) && happens(60, dice) {
        match message.get_field_mut(field) {
            Value::Message(inner) => return change(inner, dice),
            Value::List(items) if !items.is_empty() => {
                let place = (dice.up_to(items.len() as u64) - 1) as usize;
                match &mut items[place] {
                    Value::Message(inner) => return change(inner, dice),
                    item => *item = single(field, DEEP / 2, dice),
                }
                return;
            }
            _ => {}
        }
    }
    if happens(25, dice) {
        message.clear_field(field);
    } else {
        message.set_field(field, value(field, DEEP / 2, dice));
    }
}
