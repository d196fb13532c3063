//! Rules of the contracts that buf does not know.

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, MethodDescriptor};

pub(crate) fn contracts() -> &'static DescriptorPool {
    legalstat_proto::descriptors()
}

pub(crate) fn own_methods() -> Vec<MethodDescriptor> {
    contracts()
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// The message that carries a mutation's own fields: of an upload, its header.
fn body(method: &MethodDescriptor) -> MessageDescriptor {
    let header = method.input().get_field_by_name("header");
    header
        .and_then(|field| field.kind().as_message().cloned())
        .unwrap_or_else(|| method.input())
}

pub(crate) fn flag(method: &MethodDescriptor, name: &str) -> bool {
    let extension = contracts()
        .get_extension_by_name("legalstat.common.v1.access")
        .expect("it is in the contracts");
    let access = method.options().get_extension(&extension).into_owned();
    let access = access.as_message().expect("access is a message").clone();
    access
        .get_field_by_name(name)
        .and_then(|value| value.as_bool())
        .expect("the flag exists")
}

/// Whether something is said of a method.
pub(crate) fn is_commented(method: &MethodDescriptor) -> bool {
    let file = method.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = info.into_iter().flat_map(|info| &info.location);
    locations.any(|location| location.path == method.path() && location.leading_comments().trim().len() > 3)
}

#[test]
fn every_element_has_a_comment_a_caller_can_rely_on() {
    let mut silent = Vec::new();
    for file in contracts()
        .files()
        .filter(|file| file.package_name().starts_with("legalstat."))
    {
        let descriptor = file.file_descriptor_proto();
        let info = descriptor.source_code_info.as_ref().expect("the set carries comments");
        let commented = |path: &[i32]| {
            let found = info.location.iter().find(|location| location.path == path);
            found.is_some_and(|location| location.leading_comments().trim().len() > 3)
        };
        let mut check = |path: Vec<i32>, name: &str| {
            if !commented(&path) {
                silent.push(format!("{}: {name}", file.name()));
            }
        };
        for (m, message) in (0..).zip(&descriptor.message_type) {
            check(vec![4, m], message.name());
            (0..)
                .zip(&message.field)
                .for_each(|(f, field)| check(vec![4, m, 2, f], field.name()));
        }
        for (e, values) in (0..).zip(&descriptor.enum_type) {
            check(vec![5, e], values.name());
            (0..)
                .zip(&values.value)
                .for_each(|(v, value)| check(vec![5, e, 2, v], value.name()));
        }
        for (s, service) in (0..).zip(&descriptor.service) {
            check(vec![6, s], service.name());
            (0..)
                .zip(&service.method)
                .for_each(|(m, method)| check(vec![6, s, 2, m], method.name()));
        }
    }
    assert!(silent.is_empty(), "without a comment: {silent:#?}");
}

#[test]
fn every_file_names_a_class_for_java_that_no_message_has() {
    for file in contracts()
        .files()
        .filter(|file| file.package_name().starts_with("legalstat."))
    {
        let name = file
            .name()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".proto");
        let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
        let options = file.file_descriptor_proto().options.clone().unwrap_or_default();
        let expected = words.collect::<String>() + "Proto";
        assert_eq!(options.java_outer_classname(), expected, "{}", file.name());
    }
}

#[test]
fn every_mutation_takes_a_request_id_and_can_be_tried_without_effect() {
    // A copy is delivered under an id of its own, to whoever stores it: there is nothing to try. A recall is known by its copy.
    let delivers = |method: &&MethodDescriptor| ["DeliverCopy", "RecallCopy"].contains(&method.name());
    let mutations = own_methods().into_iter().filter(|method| flag(method, "mutates"));
    for method in mutations.collect::<Vec<_>>().iter().filter(|method| !delivers(method)) {
        let body = each(body(method));
        let kind = |name: &str| body.get_field_by_name(name).map(|field: FieldDescriptor| field.kind());
        assert_eq!(
            kind("request_id"),
            Some(prost_reflect::Kind::String),
            "{}",
            method.full_name()
        );
        assert_eq!(
            kind("validate_only"),
            Some(prost_reflect::Kind::Bool),
            "{}",
            method.full_name()
        );
    }
}

/// Of a batch whose mutations each have their own answer one of them, otherwise the message itself.
pub(crate) fn each(body: MessageDescriptor) -> MessageDescriptor {
    let requests = body.get_field_by_name("requests").map(|field| field.kind());
    match requests {
        Some(prost_reflect::Kind::Message(one)) if one.get_field_by_name("request_id").is_some() => one,
        _ => body,
    }
}

#[test]
fn only_mutations_take_a_request_id() {
    for method in own_methods().iter().filter(|method| !flag(method, "mutates")) {
        assert!(
            body(method).get_field_by_name("request_id").is_none(),
            "{}",
            method.full_name()
        );
    }
}

#[test]
fn every_list_comes_in_pages() {
    for method in own_methods().iter().filter(|method| method.name().starts_with("List")) {
        for field in ["page_size", "page_token"] {
            assert!(
                method.input().get_field_by_name(field).is_some(),
                "{} lacks {field}",
                method.full_name()
            );
        }
        assert!(
            method.output().get_field_by_name("next_page_token").is_some(),
            "{}",
            method.full_name()
        );
    }
}
